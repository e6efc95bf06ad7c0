"""What the chain costs: audit entries written a second with it and without it, in alternating rounds of one run."""

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.db import connection, connections, models, transaction

from integrations.models import AuditAction, AuditEntry, AuditTarget, Organization, TargetKind, db_clock
from integrations.models.chain_format import NO_HASH
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

    def as_text(self) -> str:
        """Return a line of the table: medians and their ratio."""
        chained, plain = statistics.median(self.chained), statistics.median(self.plain)
        return f"{self.name:<34}{chained:>10.0f}{plain:>10.0f}{chained / plain:>10.2f}"


def measure(rounds: int, seconds: float) -> str:
    """Return the table for the database of the settings, which should be empty; the rows stay."""
    organizations = Organization.objects.bulk_create(
        Organization(name=f"Customer {number}", slug=f"chain-{number}") for number in range(WRITERS)
    )
    situations = {
        Comparison("1 writer"): organizations[:1],
        Comparison(f"{WRITERS} writers, one organization"): organizations[:1] * WRITERS,
        Comparison(f"{WRITERS} writers, {WRITERS} organizations"): organizations,
    }
    lines = [f"{connection.vendor:<34}{'chained/s':>10}{'plain/s':>10}{'ratio':>10}"]
    for comparison, written_for in situations.items():
        for _ in range(rounds):  # in turns, so that a busy machine slows both alike
            comparison.chained.append(_rate(_write_chained, written_for, seconds))
            comparison.plain.append(_rate(_write_plain, written_for, seconds))
        lines.append(comparison.as_text())
    return "\n".join(lines)


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
