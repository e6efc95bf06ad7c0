"""A bulk move at the rate that Lever allows: its time beside the least that its calls take, and how many it makes."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import fields

from django.db import connections

from portal.devtools.benchmarks.benchmark import Benchmark, Setup
from portal.devtools.benchmarks.report import Report, Table
from portal.devtools.chaos import tenants
from portal.devtools.chaos.bulk_move import LEVER_BURST, LEVER_RATE, BulkMove, move_in_bulk
from portal.devtools.chaos.options import Options
from portal.devtools.waiting import RunFailed, wait_for_url
from portal.process.programs import queue_cluster
from portal.process.supervisor import Supervisor


class BulkBenchmark(Benchmark):
    """Stage change in Lever → e-mail and tag, for many candidates of one organization at once."""

    name = "bulk"
    help = "a bulk move at Lever's rate limit, beside the least time that its calls take"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how many candidates are moved."""
        parser.add_argument("--candidates", type=int, default=300, help="moved at once (default 300)")

    def variables(self, options: Namespace) -> Mapping[str, str]:
        """Return an environment with the portal's own rate limit, in which no poll is in the way."""
        return {
            "EMAIL_URL": "memorymail://",
            "POLL_NOT_STARTED_SECONDS": "86400",
            "POLL_IN_PROGRESS_SECONDS": "86400",
            "WEB_WORKERS": "2",
            "Q_WORKERS": "2",
        }

    def run(self, setup: Setup) -> Report:
        """Move the candidates. Raises RunFailed when a promise was broken."""
        sizes = Options(bulk=setup.options.candidates)
        tenants.configure(setup.environment, sizes)
        connections.close_all()
        with Supervisor([setup.environment.sandbox(), setup.environment.web_server(), queue_cluster()]):
            for url in setup.environment.urls_to_wait_for:
                wait_for_url(url)
            tenants.connect(setup.environment, sizes)
            move = move_in_bulk(setup.environment, sizes.bulk, sizes.phase_seconds, setup.log)
        if move.verification.broken:
            raise RunFailed(f"promises were broken: {move.verification.broken}")
        return report(move)


def report(move: BulkMove) -> Report:
    """Return the figures of a bulk move."""
    other = "never" if move.other_email is None else f"{move.other_email:.2f} s"
    rows = [
        ("calls to Lever a candidate", f"{move.calls_per_candidate:.2f}"),
        (f"least time of these calls, at {LEVER_RATE:g}/s and {LEVER_BURST}", f"{move.least_seconds:.1f} s"),
        ("until the last e-mail", f"{move.last_email:.1f} s"),
        ("until the last tag", f"{move.last_tag:.1f} s"),
        ("÷ the least time", f"{move.time_over_bound:.3f}"),
        ("answers of 429", str(move.answered_429)),
        ("another organization's candidate, meanwhile, until the e-mail", other),
    ]
    table = Table(f"A bulk move of {move.candidates} candidates", ("figure", "measured"), [*rows])
    measured = {item.name: getattr(move, item.name) for item in fields(move) if item.name != "verification"}
    return Report([table], measured)
