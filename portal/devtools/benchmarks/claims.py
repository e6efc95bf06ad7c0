"""What a claim costs among few and many organizations and rows of history, for one worker and for eight at once."""

import multiprocessing
import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass

from django.db import connection, connections
from django.db.models.functions import Now
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from portal.devtools.benchmarks.benchmark import Benchmark, Report, Setup, Table

_DUE = "due"
_COPIES = """
WITH RECURSIVE numbers (number) AS (
    SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < %s
)
INSERT INTO integrations_delivery ({columns}) SELECT {chosen}
FROM integrations_delivery copied CROSS JOIN numbers CROSS JOIN integrations_organization organizations
WHERE copied.id = %s AND organizations.id BETWEEN %s AND %s
"""


def add_history(organizations: Sequence[Organization], count: int) -> None:
    """Write so many decided deliveries, shared evenly by the organizations."""
    _share(organizations, count, f"past-{Delivery.objects.count()}", verdict="not_a_trigger_stage")


def make_due(organizations: Sequence[Organization], count: int) -> None:
    """Have so many deliveries due and no others, shared evenly by the organizations; none is leased.

    What earlier claims and deletions left behind is cleared away, as PostgreSQL's autovacuum would.
    """
    due = Delivery.objects.filter(event=_DUE)
    due._raw_delete(due.db)
    _share(organizations, count, _DUE)
    Delivery.objects.filter(event=_DUE).update(due_at=Now())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _share(organizations: Sequence[Organization], count: int, event: str, verdict: str = "") -> None:
    share = count // len(organizations)
    first = Delivery.objects.create(
        organization=organizations[0],
        platform=Delivery.Platform.LEVER,
        event=event,
        dedupe_key=f"{event}:0",
        payload={},
        due_at=None,
        verdict=verdict,
        decided_at=timezone.now() if verdict else None,
    )
    _copy(first, organizations, share)
    first.delete()


def _copy(delivery: Delivery, organizations: Sequence[Organization], share: int) -> None:
    fields = [field for field in Delivery._meta.concrete_fields if not field.primary_key]
    values = {
        "organization_id": "organizations.id",
        "dedupe_key": "copied.event || ':' || numbers.number",
        "opportunity_id": "copied.event || '-' || organizations.id || '-' || numbers.number",
    }
    columns = ", ".join(f'"{field.column}"' for field in fields)
    chosen = ", ".join(values.get(str(field.column), f'copied."{field.column}"') for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            _COPIES.format(columns=columns, chosen=chosen),
            [share, delivery.pk, organizations[0].pk, organizations[-1].pk],
        )


#: As many rows as a worker process begins at once.
BATCH = 6
FEW, SOME, MANY = 10, 1_000, 5_000
SHORT_HISTORY = 1_000
CLAIMERS = (1, 8)
#: The rows that are due in every situation, shared evenly by the organizations.
DUE_ROWS = 20_000


@dataclass(frozen=True)
class Claims:
    """What claimers reached in one situation: milliseconds of a claim, and the rows of all in a second."""

    claim_ms: float
    rows_per_second: float


@dataclass(frozen=True)
class Situation:
    """How many organizations have work, and how many rows are history."""

    organizations: int
    history: int

    @property
    def name(self) -> str:
        """The situation in words."""
        return f"{self.organizations:,} organizations with work, {self.history:,} rows of history"


class ClaimsBenchmark(Benchmark):
    """Claims in batches, as a worker makes them."""

    name = "claims"
    help = (
        "a claim among few and many organizations and rows of history, for one worker and for eight at once"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the long history and the length of a round."""
        parser.add_argument(
            "--history", type=int, default=1_000_000, help="rows of the long history (default 1,000,000)"
        )
        parser.add_argument("--seconds", type=float, default=1.5, help="length of a round (default 1.5)")

    def run(self, setup: Setup) -> Report:
        """Measure the situations one after another, from the smallest to the largest and back."""
        options = setup.options
        organizations = Organization.objects.bulk_create(
            Organization(name=f"Customer {number}", slug=f"customer-{number}") for number in range(MANY)
        )
        with_history = organizations[:FEW]
        add_history(with_history, SHORT_HISTORY)
        found: dict[Situation, dict[int, Claims]] = {}
        for situation in _situations(options):
            if situation.history > SHORT_HISTORY and not any(one.history > SHORT_HISTORY for one in found):
                setup.log("The long history is written.")
                add_history(with_history, situation.history - SHORT_HISTORY)
            found[situation] = {}
            for claimers in CLAIMERS:
                make_due(organizations[: situation.organizations], DUE_ROWS)
                found[situation][claimers] = _measure(claimers, options.seconds)
            setup.log(f"{situation.name}: {found[situation]}")
        return _report(found)


def _situations(options: Namespace) -> list[Situation]:
    short = [Situation(count, SHORT_HISTORY) for count in (FEW, SOME, MANY)]
    return short + [Situation(count, options.history) for count in (MANY, SOME, FEW)]


def _measure(claimers: int, seconds: float) -> Claims:
    """Let so many processes claim at once for some seconds."""
    connections.close_all()
    with ProcessPoolExecutor(claimers, mp_context=multiprocessing.get_context("fork")) as pool:
        waits = [pool.submit(_claim_for, seconds) for _ in range(claimers)]
        results = [result for wait in waits for result in wait.result()]
    milliseconds = [one[0] for one in results]
    rows = sum(one[1] for one in results)
    if not rows:
        raise RuntimeError("nothing was claimed")
    return Claims(statistics.median(milliseconds), rows / seconds)


def _claim_for(seconds: float) -> list[tuple[float, int]]:
    """Claim for some seconds; return the milliseconds and the rows of each claim. The rows are done afterwards."""
    if connection.vendor == "postgresql":
        connection.settings_dict["OPTIONS"]["prepare_threshold"] = 3  # as workers do
    _claim_batch()  # connects
    claims = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        claimed = _claim_batch()
        claims.append(((time.perf_counter() - began) * 1000, len(claimed)))
        Delivery.objects.filter(pk__in=claimed).update(due_at=None, leased_until=None, lease_owner="")
    connections.close_all()
    return claims


def _claim_batch() -> list[int]:
    return [row.pk for row in Delivery.claim_batch("bench", BATCH)]


def _report(found: dict[Situation, dict[int, Claims]]) -> Report:
    table = Table(
        f"Claims of at most {BATCH} rows",
        ("situation", "a claim", "rows a second: 1 claimer", f"{CLAIMERS[-1]} claimers"),
    )
    for situation, claims in found.items():
        alone, together = claims[1], claims[CLAIMERS[-1]]
        table.rows.append(
            (
                situation.name,
                f"{alone.claim_ms:.1f} ms",
                f"{alone.rows_per_second:.0f}",
                f"{together.rows_per_second:.0f}",
            )
        )
    numbers = {
        situation.name: {str(count): asdict(one) for count, one in claims.items()}
        for situation, claims in found.items()
    }
    return Report([table], {"situations": numbers})
