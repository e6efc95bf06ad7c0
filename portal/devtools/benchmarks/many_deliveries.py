"""Very many deliveries, each a copy of one with another key, written by the database itself."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import GeneratedField
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery, Organization

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
    fields = [
        field
        for field in Delivery._meta.concrete_fields
        if not (field.primary_key or isinstance(field, GeneratedField))
    ]
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
