"""Moves the candidates of a workload through Lever's stages, which makes Lever send its webhooks."""

import random
import time
from collections.abc import Iterator

from portal.devtools.chaos import tenants
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.workload import Candidate, Workload
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox_client import SandboxClient
from portal.devtools.waiting import RunFailed

WINDOW = 12
LEAST_KILLS = 6  # while the moves are made, also when they are few
MOST_PENDING = 150
DAY_MS = 24 * 3_600_000


def seed(lever: SandboxClient, workload: Workload) -> None:
    """Create the workload's candidates in Lever, and let it lose and reorder some of its webhooks."""
    for slug in dict.fromkeys(candidate.organization for candidate in workload.candidates):
        candidates = [candidate for candidate in workload.candidates if candidate.organization == slug]
        opportunities = tenants.create_candidates(lever, slug, len(candidates))
        for candidate, opportunity in zip(candidates, opportunities, strict=True):
            candidate.opportunity = opportunity
        lever.act("settings", account=slug, webhook_shuffle_ms=1500, webhook_loss=0.02)


def pending_deliveries(environment: DemoEnvironment) -> int:
    """Return how many of the platforms' webhooks are still on their way."""
    return environment.lever.pending_deliveries() + environment.codescreen.pending_deliveries()


class LoadGenerator:
    """Makes the moves as fast as their webhooks are accepted, with some webhooks duplicated and sent again late."""

    def __init__(self, environment: DemoEnvironment, workload: Workload, options: Options) -> None:
        self._environment = environment
        self._lever = environment.lever
        self._workload = workload
        self._duplicates = options.duplicates
        self._pause = LEAST_KILLS * options.kill_every * WINDOW / workload.events
        self._random = random.Random(options.seed + 1)  # noqa: S311
        self._copies: dict[str, int] = {}
        self._moved: list[Candidate] = []

    def make_moves(self, deadline: float) -> None:
        """Make every move. Raises RunFailed when the deadline passes before."""
        for window in self._windows():
            while pending_deliveries(self._environment) > MOST_PENDING:
                if time.monotonic() > deadline:
                    raise RunFailed("the webhooks weren't accepted in time")
                time.sleep(0.05)
            for (slug, stage), candidates in window.items():
                copies = 1 if self._random.random() < self._duplicates else 0
                if self._copies.get(slug) != copies:
                    self._lever.act("settings", account=slug, webhook_duplicates=copies)
                    self._copies[slug] = copies
                ids = [candidate.opportunity for candidate in candidates]
                tenants.move(self._lever, slug, ids, stage)
                self._moved += candidates
            self._send_old_webhooks_again()
            time.sleep(self._pause)

    def _windows(self) -> Iterator[dict[tuple[str, str], list[Candidate]]]:
        """Yield moves that can be made together, by account and stage: at most one of each candidate."""
        window: dict[tuple[str, str], list[Candidate]] = {}
        opportunities: set[str] = set()
        for candidate, stage in self._workload.moves:
            if candidate.opportunity in opportunities or len(opportunities) == WINDOW:
                yield window
                window, opportunities = {}, set()
            window.setdefault((candidate.organization, stage), []).append(candidate)
            opportunities.add(candidate.opportunity)
        yield window

    def _send_old_webhooks_again(self) -> None:
        """Sometimes have webhooks sent about candidates who moved before: late, without an id, out of order."""
        if self._random.random() >= self._duplicates or not self._moved:
            return
        slug = self._random.choice(self._moved).organization
        moved = [candidate.opportunity for candidate in self._moved if candidate.organization == slug]
        self._lever.act(
            "webhooks/deliver",
            account=slug,
            opportunities=self._random.sample(moved, min(3, len(moved))),
            duplicates=self._random.randint(0, 1),
            shuffle=True,
            without_id=self._random.random() < 0.5,
            stale_ms=self._random.choice([0, 60_000, 13 * DAY_MS]),
        )
