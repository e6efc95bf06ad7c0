"""What the chain costs: audit entries written a second with it and without it, in alternating rounds of one run."""

import itertools
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.db import connections, models, transaction

from integrations.models import AuditAction, AuditEntry, AuditTarget, Organization, TargetKind, db_clock
from integrations.models.chain_format import NO_HASH
from portal.devtools.benchmarks.benchmark import Benchmark, Setup
from portal.devtools.benchmarks.report import Report, Spread, Table, ratios
from portal.devtools.threads import run_in_threads

WRITERS = 16
#: Positions of the rows that are written without the chain: far behind those of the chain.
_positions = itertools.count(10**12)

type Write = Callable[[Organization], None]


@dataclass(eq=False)
class Comparison:
    """The writes a second of each round, in one situation."""

    name: str
    chained: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)


class ChainBenchmark(Benchmark):
    """Audit entries written with their chain and without it."""

    name = "chain"
    help = "audit entries written with their hash chain and without it, by one writer and by sixteen"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the rounds and their length."""
        parser.add_argument("--rounds", type=int, default=8, help="alternating rounds (default 8)")
        parser.add_argument("--seconds", type=float, default=2.0, help="length of a round (default 2)")

    def run(self, setup: Setup) -> Report:
        """Measure each situation in turns."""
        comparisons = _measure(setup.options.rounds, setup.options.seconds)
        table = Table(
            "Audit entries a second (medians)", ("situation", "chained", "plain", "chained ÷ plain")
        )
        report = Report([table])
        for one in comparisons:
            spread = Spread.of(ratios(one.chained, one.plain))
            chained, plain = statistics.median(one.chained), statistics.median(one.plain)
            table.rows.append((one.name, f"{chained:.0f}", f"{plain:.0f}", spread.as_text()))
            report.numbers[one.name] = {"chained": one.chained, "plain": one.plain}
        return report


def _measure(rounds: int, seconds: float) -> list[Comparison]:
    organizations = Organization.objects.bulk_create(
        Organization(name=f"Customer {number}", slug=f"chain-{number}") for number in range(WRITERS)
    )
    situations = {
        Comparison("1 writer"): organizations[:1],
        Comparison(f"{WRITERS} writers, one organization"): organizations[:1] * WRITERS,
        Comparison(f"{WRITERS} writers, {WRITERS} organizations"): organizations,
    }
    for comparison, written_for in situations.items():
        for _ in range(rounds):  # in turns, so that a busy machine slows both alike
            comparison.chained.append(_rate(_write_chained, written_for, seconds))
            comparison.plain.append(_rate(_write_plain, written_for, seconds))
    return list(situations)


def _rate(write: Write, organizations: list[Organization], seconds: float) -> float:
    """Write for each of these organizations in a thread of its own; return the writes a second of all."""
    counts: list[int] = []
    end = time.monotonic() + seconds

    def run(organization: Organization) -> None:
        count = 0
        while time.monotonic() < end:
            write(organization)
            count += 1
        counts.append(count)
        connections.close_all()

    began = time.monotonic()
    run_in_threads([partial(run, organization) for organization in organizations])
    if len(counts) < len(organizations):
        raise RuntimeError("a writer failed")
    return sum(counts) / (time.monotonic() - began)


def _write_chained(organization: Organization) -> None:
    target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, organization.name)
    AuditEntry.record(
        organization, "bench", AuditAction.CHANGE_POLICIES, target, {"bulk_limit": (50, 7)}, "x"
    )


def _write_plain(organization: Organization) -> None:
    """Write the same row in a transaction, without a link to any other."""
    entry = AuditEntry(
        organization=organization,
        actor_name="bench",
        action=AuditAction.CHANGE_POLICIES,
        target_kind=TargetKind.ORGANIZATION,
        target_id=organization.pk,
        target=organization.name,
        changes={"bulk_limit": [50, 7]},
        reason="x",
        at=db_clock.now(),
        position=next(_positions),
        previous_hash=NO_HASH,
        hash=NO_HASH,
        text_salt="0" * 32,
        text_digest=NO_HASH,
    )
    with transaction.atomic():
        models.Model.save(entry, force_insert=True)
