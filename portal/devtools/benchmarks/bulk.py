"""A bulk move at the rate that Lever allows: its time beside the least that its calls take, and how many it makes."""

import time
from argparse import ArgumentParser
from typing import ClassVar

from django.db import connections

from integrations.outbox.models.effect import Effect
from portal.devtools.benchmarks.benchmark import WITHOUT_POLLS, Benchmark, Setup, Table
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.run import Options
from portal.devtools.chaos.verification import collect_evidence, count_calls, verify
from portal.devtools.processes import RunFailed, wait_for_url
from portal.process.startup import queue_cluster
from portal.process.supervisor import Supervisor

#: Calls that Lever allows an account: each second, and at once after a rest.
LEVER_RATE, LEVER_BURST = 10.0, 20


class BulkBenchmark(Benchmark):
    """Stage change in Lever → e-mail and tag, for many candidates of one organization at once."""

    name = "bulk"
    help = "a bulk move at Lever's rate limit, beside the least time that its calls take"
    variables: ClassVar = WITHOUT_POLLS | {"EMAIL_URL": "memorymail://"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how many candidates are moved."""
        parser.add_argument("--candidates", type=int, default=300, help="moved at once (default 300)")

    def run(self, setup: Setup) -> Table:
        """Move the candidates. Raises RunFailed when a promise was broken."""
        environment, count = setup.environment, setup.options.candidates
        size = Options(restore=count)  # a run of this size with Lever's rate limit
        tenants.configure(environment)
        connections.close_all()
        with Supervisor([environment.sandbox(), environment.web_server(), queue_cluster()]):
            for url in environment.urls_to_wait_for:
                wait_for_url(url)
            tenants.connect(environment, size)
            moved = tenants.create_candidates(environment.lever, count)
            calls_before = count_calls(environment.lever.ledger(tenants.SLUG))
            began = time.time()
            tenants.move(environment.lever, moved)
            unfinished = quiesce.wait_until_idle(environment, size.phase_seconds, skips_backoff=False)
            evidence = collect_evidence(environment, moved)
        verification = verify(evidence)
        verification.record_rows_not_at_rest(unfinished)
        if verification.broken:
            raise RunFailed(f"promises were broken: {verification.broken}")
        calls = count_calls(evidence.lever) - calls_before
        done = Effect.objects.filter(done_at__isnull=False).order_by("done_at")
        took = max(one.timestamp() for one in done.values_list("done_at", flat=True) if one) - began
        return table(count, calls.total(), calls[429], took)


def table(candidates: int, calls: int, refused: int, took: float) -> Table:
    """Return the figures of a bulk move that took so many seconds until the last tag."""
    least = max(0.1, (calls - LEVER_BURST) / LEVER_RATE)
    rows = [
        ("calls to Lever a candidate", f"{calls / candidates:.2f}"),
        (f"least time of these calls, at {LEVER_RATE:g}/s and {LEVER_BURST}", f"{least:.1f} s"),
        ("until the last tag", f"{took:.1f} s"),
        ("÷ the least time", f"{took / least:.3f}"),
        ("answers of 429", str(refused)),
    ]
    return Table(f"A bulk move of {candidates} candidates", ("figure", "measured"), [*rows])
