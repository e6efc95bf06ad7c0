"""Moves the candidates of a workload through Lever's stages, which makes Lever send its webhooks."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from portal.devtools.chaos import tenants
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.tenants import OTHER, SECOND_TRIGGER, TRIGGER
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed
from portal.devtools.sandbox_client import SandboxClient

#: Sequences of stages by weight; each stage is one event.
STAGE_SEQUENCES: dict[tuple[str, ...], int] = {
    (TRIGGER,): 80,
    (TRIGGER, OTHER, TRIGGER): 6,  # left and came back: still one invitation
    (TRIGGER, SECOND_TRIGGER): 5,  # another stage that names the same assessment
    (TRIGGER, OTHER): 5,  # may or may not have been invited in between
    (OTHER,): 4,
}
#: What an invited candidate does in CodeScreen, visit by visit, by weight; some stop midway.
VISITS: dict[tuple[tuple[str, ...], ...], int] = {
    (): 70,
    (("start",),): 4,
    (("start",), ("submit",)): 4,
    (("start",), ("submit", "evaluate")): 12,
    (("start", "submit", "evaluate"),): 10,
}


@dataclass
class Candidate:
    """One candidate of the run."""

    email: str
    stages: tuple[str, ...]
    visits: list[tuple[str, ...]]
    score: int
    opportunity: str = ""


@dataclass
class Workload:
    """Every candidate, and their moves in the order in which they happen."""

    candidates: list[Candidate] = field(default_factory=list)
    moves: list[tuple[Candidate, str]] = field(default_factory=list)

    @property
    def events(self) -> int:
        """How many stage changes there are."""
        return len(self.moves)


def plan_workload(options: Options) -> Workload:
    """Return the workload of a seed: exactly `events` moves, each candidate's own in order."""
    chance = random.Random(options.seed)  # noqa: S311
    workload, events_left, timed_moves = Workload(), options.events, []
    while events_left:
        stages = chance.choices(list(STAGE_SEQUENCES), list(STAGE_SEQUENCES.values()))[0][:events_left]
        visits = list(chance.choices(list(VISITS), list(VISITS.values()))[0])
        email = tenants.email(len(workload.candidates) + 1)
        candidate = Candidate(email, stages, visits, chance.randint(0, 100))
        workload.candidates.append(candidate)
        moments = sorted(chance.random() for _ in stages)
        timed_moves += [(at, candidate, stage) for at, stage in zip(moments, stages, strict=True)]
        events_left -= len(stages)
    timed_moves.sort(key=lambda move: move[0])
    workload.moves = [(candidate, stage) for _, candidate, stage in timed_moves]
    return workload


WINDOW = 12
LEAST_KILLS = 6  # while the moves are made, also when they are few
MOST_PENDING = 150
DUPLICATES = 0.3  # the share of webhooks that come twice


def seed(lever: SandboxClient, workload: Workload) -> None:
    """Create the workload's candidates in Lever, and let it lose and reorder some of its webhooks."""
    opportunities = tenants.create_candidates(lever, len(workload.candidates))
    for candidate, opportunity in zip(workload.candidates, opportunities, strict=True):
        candidate.opportunity = opportunity
    lever.act("settings", account=tenants.SLUG, webhook_shuffle_ms=1500, webhook_loss=0.02)


def pending_deliveries(environment: DemoEnvironment) -> int:
    """Return how many of the platforms' webhooks are still on their way."""
    return environment.lever.pending_deliveries() + environment.codescreen.pending_deliveries()


def make_visit(codescreen: SandboxClient, candidate: Candidate) -> bool:
    """Let a candidate make the next visit to CodeScreen; False while nobody has invited them."""
    response = codescreen.try_to_act(
        "candidate",
        account=tenants.SLUG,
        email=candidate.email,
        assessment=tenants.ASSESSMENT,
        action=list(candidate.visits[0]),
        score=candidate.score,
        result="Passed" if candidate.score > 50 else None,
    )
    if response.ok:
        candidate.visits.pop(0)
    return response.ok


class LoadGenerator:
    """Makes the moves as fast as their webhooks are accepted, with some webhooks duplicated."""

    def __init__(self, environment: DemoEnvironment, workload: Workload, options: Options) -> None:
        self._environment = environment
        self._lever = environment.lever
        self._workload = workload
        self._pause = LEAST_KILLS * options.kill_every * WINDOW / workload.events
        self._random = random.Random(options.seed + 1)  # noqa: S311

    def make_moves(self, deadline: float) -> None:
        """Make every move. Raises RunFailed when the deadline passes before."""
        for window in self._windows():
            while pending_deliveries(self._environment) > MOST_PENDING:
                if time.monotonic() > deadline:
                    raise RunFailed("the webhooks weren't accepted in time")
                time.sleep(0.05)
            for stage, opportunities in window.items():
                copies = 1 if self._random.random() < DUPLICATES else 0
                self._lever.act("settings", account=tenants.SLUG, webhook_duplicates=copies)
                tenants.move(self._lever, opportunities, stage)
            time.sleep(self._pause)

    def _windows(self) -> Iterator[dict[str, list[str]]]:
        """Yield moves that can be made together, by stage: at most one of each candidate."""
        window: dict[str, list[str]] = {}
        opportunities: set[str] = set()
        for candidate, stage in self._workload.moves:
            if candidate.opportunity in opportunities or len(opportunities) == WINDOW:
                yield window
                window, opportunities = {}, set()
            window.setdefault(stage, []).append(candidate.opportunity)
            opportunities.add(candidate.opportunity)
        yield window
