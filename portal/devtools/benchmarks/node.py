"""A node at work beside the sandbox, with one connected organization in which every candidate is invited."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from django.db import connections

from integrations.outbox.models.effect import Effect
from portal.devtools.benchmarks.benchmark import Setup
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.verification import collect_evidence, verify
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed, wait_for_url
from portal.process.startup import queue_cluster
from portal.process.supervisor import Supervisor

LONGEST_SECONDS = 600.0
_batches = count(1)


@dataclass(frozen=True)
class Node:
    """The running web server and workers, and where they and the sandbox are."""

    environment: DemoEnvironment
    groups: Sequence[int]  # of the portal's processes

    def new_candidates(self, number: int) -> list[str]:
        """Create so many candidates in Lever; return their opportunities' ids."""
        return tenants.create_candidates(self.environment.lever, number, f"bench-{next(_batches)}")

    def invite(self, candidates: Sequence[str]) -> float:
        """Move candidates at once; return the seconds until the last has its tag. Raises RunFailed."""
        began = time.time()
        tenants.move(self.environment.lever, list(candidates))
        return self.wait_until_invited(candidates) - began

    def wait_until_invited(self, candidates: Sequence[str]) -> float:
        """Return when the last of these candidates got the tag. Raises RunFailed when a promise was broken."""
        unfinished = quiesce.wait_until_idle(self.environment, LONGEST_SECONDS, skips_backoff=False)
        verification = verify(collect_evidence(self.environment, candidates))
        verification.record_rows_not_at_rest(unfinished)
        if verification.broken:
            raise RunFailed(f"promises were broken: {verification.broken}")
        done = Effect.objects.filter(opportunity_id__in=candidates, done_at__isnull=False)
        last = max(at.timestamp() for at in done.values_list("done_at", flat=True) if at)
        connections.close_all()
        return last


@contextmanager
def node_at_work(setup: Setup, *, is_limited: bool = False) -> Iterator[Node]:
    """Run the web server and the workers beside the sandbox, which limits Lever's calls if asked. Raises RunFailed."""
    environment = setup.environment
    tenants.configure(environment)
    connections.close_all()
    with Supervisor([environment.sandbox(), environment.web_server(), queue_cluster()]) as supervisor:
        for url in environment.urls_to_wait_for:
            wait_for_url(url)
        tenants.connect(environment, is_limited=is_limited)
        yield Node(environment, [run.pid for name, run in supervisor.runs.items() if name != "sandbox"])
