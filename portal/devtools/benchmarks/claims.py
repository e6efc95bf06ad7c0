"""How long a claim takes with a long history beside a short one, and among many organizations beside few."""

import statistics
import time
from collections.abc import Sequence

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery, Organization
from portal.devtools.benchmarks.benchmark import Benchmark, Setup
from portal.devtools.benchmarks.report import Report, Table

SHORT_HISTORY, LONG_HISTORY = 1_000, 500_000
ORGANIZATIONS = 5_000
ROUNDS = 200
BATCH = 5_000


class ClaimsBenchmark(Benchmark):
    """What a claim costs among many rows and many organizations."""

    name = "claims"
    help = "a claim with a long history beside a short one, and among many organizations beside few"

    def run(self, setup: Setup) -> Report:
        """Fill the tables and measure."""
        setup.log("Filling the tables.")
        table = Table("A claim (median)", ("situation", "ms", "÷ short history"))
        report = Report([table])
        times = _measure()
        yardstick = statistics.median(times["short history"])
        for situation, values in times.items():
            middle = statistics.median(values)
            table.rows.append((situation, f"{middle:.1f}", f"{middle / yardstick:.2f}"))
        report.numbers["milliseconds"] = times
        return report


def _measure() -> dict[str, list[float]]:
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
    return {
        "short history": times[short],
        f"{LONG_HISTORY:,} rows of history": times[long],
        f"among {ORGANIZATIONS:,} organizations without work": among_idle,
        f"among {ORGANIZATIONS:,} organizations with work": among_busy,
    }


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
