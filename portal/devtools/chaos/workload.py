"""The candidates, and the recruiters who move them through stages, told by real webhooks."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import requests

from portal.devtools.chaos import tenants
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.tenants import OTHER, SECOND_TRIGGER, TRIGGER
from portal.devtools.demo.environment import Stage
from portal.devtools.demo.provisioning import SECONDS, NotReady, control

#: Ways through the pipeline by weight; each stage is one event.
WAYS: dict[tuple[str, ...], int] = {
    (TRIGGER,): 80,
    (TRIGGER, OTHER, TRIGGER): 6,  # left and came back: still one invitation
    (TRIGGER, SECOND_TRIGGER): 5,  # another stage that names the same assessment
    (TRIGGER, OTHER): 5,  # may or may not have been invited in between
    (OTHER,): 4,
}
#: What an invited candidate does, in visits: a share goes all the way, some stop midway.
VISITS: dict[tuple[tuple[str, ...], ...], int] = {
    (): 70,
    (("start",),): 4,
    (("start",), ("submit",)): 4,
    (("start",), ("submit", "evaluate")): 12,
    (("start", "submit", "evaluate"),): 10,
}
WINDOW = 12
LEAST_KILLS = 6  # while the moves are made, also when they are few
MOST_PENDING = 150


@dataclass
class Candidate:
    """One candidate of the run."""

    organization: str
    email: str
    stages: tuple[str, ...]
    visits: list[tuple[str, ...]]
    score: int
    opportunity: str = ""


@dataclass
class Crowd:
    """Every candidate, and their moves in the order in which they happen."""

    candidates: list[Candidate] = field(default_factory=list)
    moves: list[tuple[Candidate, str]] = field(default_factory=list)

    @property
    def events(self) -> int:
        """How many stage changes there are."""
        return len(self.moves)


def gather(options: Options) -> Crowd:
    """Return the crowd that a seed makes: exactly `events` moves, each candidate's own in order."""
    chance = random.Random(options.seed)  # noqa: S311
    slugs = tenants.slugs(options.organizations)
    numbers = dict.fromkeys(slugs, 0)
    crowd, left, placed = Crowd(), options.events, []
    while left:
        stages = chance.choices(list(WAYS), list(WAYS.values()))[0][:left]
        slug = chance.choice(slugs)
        numbers[slug] += 1
        visits = list(chance.choices(list(VISITS), list(VISITS.values()))[0])
        email = tenants.email(slug, numbers[slug])
        candidate = Candidate(slug, email, stages, visits, chance.randint(0, 100))
        crowd.candidates.append(candidate)
        moments = sorted(chance.random() for _ in stages)
        placed += [(at, candidate, stage) for at, stage in zip(moments, stages, strict=True)]
        left -= len(stages)
    placed.sort(key=lambda move: move[0])
    crowd.moves = [(candidate, stage) for _, candidate, stage in placed]
    return crowd


def settle_in(stage: Stage, crowd: Crowd) -> None:
    """Make the crowd's candidates in the pretend Lever, with a little of the network's disorder around them."""
    for slug in dict.fromkeys(candidate.organization for candidate in crowd.candidates):
        members = [candidate for candidate in crowd.candidates if candidate.organization == slug]
        for candidate, opportunity in zip(members, tenants.generate(stage, slug, len(members)), strict=True):
            candidate.opportunity = opportunity
        control(stage.lever_url, "settings", account=slug, webhook_shuffle_ms=1500, webhook_loss=0.02)


class Recruiters:
    """Move the crowd as fast as its webhooks are taken, with copies and reordered ones of their own making."""

    def __init__(self, stage: Stage, crowd: Crowd, options: Options) -> None:
        self._stage = stage
        self._crowd = crowd
        self._share = options.duplicates
        self._pause = LEAST_KILLS * options.kill_every * WINDOW / crowd.events
        self._chance = random.Random(options.seed + 1)  # noqa: S311
        self._copies: dict[str, int] = {}
        self._moved: list[Candidate] = []

    def work(self, deadline: float) -> None:
        """Make every move. Raises NotReady when the deadline passes before."""
        for window in self._windows():
            while pending(self._stage) > MOST_PENDING:
                if time.monotonic() > deadline:
                    raise NotReady("the webhooks weren't taken in time")
                time.sleep(0.05)
            for (slug, stage), members in window.items():
                copies = 1 if self._chance.random() < self._share else 0
                if self._copies.get(slug) != copies:
                    control(self._stage.lever_url, "settings", account=slug, webhook_duplicates=copies)
                    self._copies[slug] = copies
                ids = [candidate.opportunity for candidate in members]
                control(self._stage.lever_url, "move", account=slug, opportunities=ids, stage=stage)
                self._moved += members
            self._disturb()
            time.sleep(self._pause)

    def _windows(self) -> Iterator[dict[tuple[str, str], list[Candidate]]]:
        window: dict[tuple[str, str], list[Candidate]] = {}
        names: set[str] = set()
        for candidate, stage in self._crowd.moves:
            if candidate.opportunity in names or len(names) == WINDOW:
                yield window
                window, names = {}, set()
            window.setdefault((candidate.organization, stage), []).append(candidate)
            names.add(candidate.opportunity)
        yield window

    def _disturb(self) -> None:
        """Tell again of candidates who moved before: other envelopes, late, without an id, out of order."""
        if self._chance.random() >= self._share or not self._moved:
            return
        slug = self._chance.choice(self._moved).organization
        known = [candidate.opportunity for candidate in self._moved if candidate.organization == slug]
        control(
            self._stage.lever_url,
            "webhooks/deliver",
            account=slug,
            opportunities=self._chance.sample(known, min(3, len(known))),
            duplicates=self._chance.randint(0, 1),
            shuffle=True,
            without_id=self._chance.random() < 0.5,
            stale_ms=self._chance.choice([0, 60_000, 13 * 24 * 3_600_000]),
        )


def pending(stage: Stage) -> int:
    """Return how many of the platforms' webhooks are still on their way."""
    count = 0
    for address in (stage.lever_url, stage.codescreen_url):
        answer = requests.get(f"{address}/_control/ledger", params={"account": "none"}, timeout=SECONDS)
        count += int(answer.json()["pending_deliveries"])
    return count
