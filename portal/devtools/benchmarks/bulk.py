"""A bulk move at the rate that Lever allows: its time beside the least that its calls take, and how many it makes."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from django.db import connections

from integrations.outbox.models.effect import Effect
from portal.devtools.benchmarks.benchmark import Benchmark, Report, Setup, Table
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.run import Options, Verification
from portal.devtools.chaos.verification import collect_evidence, count_calls, verify
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed, wait_for_url
from portal.devtools.sandbox.values import JsonObject
from portal.process.startup import queue_cluster
from portal.process.supervisor import Supervisor

#: Calls that Lever allows an account: each second, and at once after a rest.
LEVER_RATE, LEVER_BURST = 10.0, 20
SECOND_MOVE_AFTER = 8.0  # seconds into the bulk move
BULK, OTHER = tenants.slugs(2)


@dataclass(frozen=True)
class BulkMove:
    """What a bulk move took; times are in seconds since the move in Lever."""

    candidates: int
    emails: int
    lever_calls: int
    answered_429: int
    last_email: float
    last_tag: float
    #: From the other organization's move to its candidate's e-mail; None when none was sent.
    other_email: float | None
    verification: Verification

    @property
    def calls_per_candidate(self) -> float:
        """The calls to Lever for each candidate."""
        return self.lever_calls / self.candidates

    @property
    def least_seconds(self) -> float:
        """How long the calls that were made take at the rate that Lever allows."""
        return max(0.1, (self.lever_calls - LEVER_BURST) / LEVER_RATE)

    @property
    def time_over_bound(self) -> float:
        """The time until the last tag as a multiple of the least."""
        return self.last_tag / self.least_seconds


def move_in_bulk(
    environment: DemoEnvironment, count: int, seconds: float, log: Callable[[str], object]
) -> BulkMove:
    """Move so many candidates of one organization at once, another's meanwhile, and wait until nothing is to do.

    Both organizations are connected. What isn't done after so many seconds counts as broken promises. Raises RunFailed.
    """
    lever = environment.lever
    moved = tenants.create_candidates(lever, BULK, count)
    other_moved = tenants.create_candidates(lever, OTHER, 1)
    calls_before = count_calls(lever.ledger(BULK))
    began = time.time()
    tenants.move(lever, BULK, moved)
    time.sleep(SECOND_MOVE_AFTER)
    log("The bulk move runs; moving one candidate of another organization.")
    other_began = time.time()
    tenants.move(lever, OTHER, other_moved)
    unfinished = quiesce.wait_until_idle(environment, began + seconds - time.time(), skips_backoff=False)
    evidence = collect_evidence(environment, BULK, moved)
    other_evidence = collect_evidence(environment, OTHER, other_moved)
    verification = verify(evidence)
    verification.merge(verify(other_evidence))
    verification.record_rows_not_at_rest(unfinished)
    calls = count_calls(evidence.lever) - calls_before
    sent, other_sent = _sent_times(evidence.codescreen), _sent_times(other_evidence.codescreen)
    return BulkMove(
        candidates=len(moved),
        emails=len(sent),
        lever_calls=calls.total(),
        answered_429=calls[429],
        last_email=max(sent, default=began) - began,
        last_tag=_last_effect_time() - began,
        other_email=other_sent[0] - other_began if other_sent else None,
        verification=verification,
    )


def _last_effect_time() -> float:
    """Return when the last effect of the bulk move was done, now if none was."""
    done = Effect.objects.filter(organization__slug=BULK, done_at__isnull=False)
    last: datetime | None = done.order_by("-done_at").values_list("done_at", flat=True).first()
    return last.timestamp() if last else time.time()


def _sent_times(codescreen: JsonObject) -> list[float]:
    """Return when CodeScreen sent each invitation, in seconds."""
    return [
        instance["sent_at"] / 1000
        for invitation in codescreen["invitations"]
        for instance in invitation["instances"]
    ]


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
        count = setup.options.candidates
        sizes = Options(restore=count, organizations=2)  # a run of this size with Lever's rate limit
        tenants.configure(setup.environment, sizes)
        connections.close_all()
        with Supervisor([setup.environment.sandbox(), setup.environment.web_server(), queue_cluster()]):
            for url in setup.environment.urls_to_wait_for:
                wait_for_url(url)
            tenants.connect(setup.environment, sizes)
            move = move_in_bulk(setup.environment, count, sizes.phase_seconds, setup.log)
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
