"""How long a claim takes with a long history beside a short one, and among many organizations beside few."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery, Organization

SHORT_HISTORY, LONG_HISTORY = 1_000, 500_000
ORGANIZATIONS = 5_000
ROUNDS = 200
BATCH = 5_000


@dataclass(frozen=True)
class ClaimCost:
    """The median milliseconds of a claim in each situation; all were measured in the same run."""

    short_history_ms: float
    long_history_ms: float
    among_idle_ms: float
    among_busy_ms: float

    def as_text(self) -> str:
        """Return the ratios for people."""
        return (
            f"a claim                {self.long_history_ms / self.short_history_ms:.2f} × with {LONG_HISTORY:,} rows "
            f"of history beside {SHORT_HISTORY:,}\n"
            f"                       {self.among_idle_ms / self.short_history_ms:.2f} × among {ORGANIZATIONS:,} "
            f"organizations without work, {self.among_busy_ms / self.short_history_ms:.2f} × with work\n"
            f"                       {self.short_history_ms:.1f}, {self.long_history_ms:.1f}, "
            f"{self.among_idle_ms:.1f} and {self.among_busy_ms:.1f} ms"
        )


def measure() -> ClaimCost:
    """Fill the tables and measure; the rows stay."""
    short, long = (
        Organization.objects.create(name=name, slug=name) for name in ("short-history", "long-history")
    )
    for organization, count in ((short, SHORT_HISTORY), (long, LONG_HISTORY)):
        for start in range(0, count, BATCH):
            Delivery.objects.bulk_create(_past(organization, start, min(start + BATCH, count)))
    waiting = dict(zip((short, long), _due((short, long)), strict=True))
    _analyze()
    times: dict[Organization, list[float]] = {short: [], long: []}
    for _ in range(ROUNDS):  # in turns, so that a busy machine slows both alike
        for organization, row in waiting.items():
            Delivery.objects.filter(pk=row.pk).update(due_at=Now(), leased_until=None)
            times[organization].append(_claim_ms())
            Delivery.objects.filter(pk=row.pk).update(due_at=None, leased_until=None)
    organizations = Organization.objects.bulk_create(
        Organization(name=f"Customer {number}", slug=f"customer-{number}") for number in range(ORGANIZATIONS)
    )
    _analyze()
    among_idle = []
    for _ in range(ROUNDS):
        Delivery.objects.filter(pk=waiting[short].pk).update(due_at=Now(), leased_until=None)
        among_idle.append(_claim_ms())
    _due(organizations)
    _analyze()
    among_busy = [_claim_ms() for _ in range(ROUNDS)]
    return ClaimCost(
        *(statistics.median(values) for values in (times[short], times[long], among_idle, among_busy))
    )


def _claim_ms() -> float:
    began = time.perf_counter()
    claimed = Delivery.claim("bench")
    elapsed = time.perf_counter() - began
    if claimed is None:
        raise RuntimeError("nothing was claimed")
    return elapsed * 1000


def _past(organization: Organization, start: int, end: int) -> list[Delivery]:
    now = timezone.now()
    return [
        Delivery(
            organization=organization,
            platform=Delivery.Platform.LEVER,
            event="candidateStageChange",
            dedupe_key=f"past:{number}",
            opportunity_id=f"opportunity-{number}",
            payload={},
            received_at=now,
            verdict=Delivery.VerdictCode.NOT_A_TRIGGER_STAGE,
            decided_at=now,
            due_at=None,
        )
        for number in range(start, end)
    ]


def _due(organizations: Sequence[Organization]) -> list[Delivery]:
    return Delivery.objects.bulk_create(
        [
            Delivery(
                organization=organization,
                platform=Delivery.Platform.LEVER,
                event="candidateStageChange",
                dedupe_key="due",
                payload={},
                due_at=timezone.now(),
            )
            for organization in organizations
        ],
        batch_size=BATCH,
    )


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
