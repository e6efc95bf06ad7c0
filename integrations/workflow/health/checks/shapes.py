"""Whether the platforms send what the portal relies on."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from integrations.finding_code import FindingCode, Level
from integrations.http.shapes import Kind
from integrations.models import Organization, ShapeDeviation
from integrations.vocabulary import Platform
from integrations.workflow.health.findings import HEALTH, Finding
from integrations.workflow.health.wording import MOST_NAMED, counted, day

SHOWN_FOR = timedelta(days=3)  # since it was last seen


def check_shapes(organization: Organization) -> Iterator[Finding]:
    """Yield each way in which a platform lately sent something else than documented, with an example of types."""
    seen_since = timezone.now() - SHOWN_FOR
    rows = ShapeDeviation.objects.filter(organization=organization, last_seen_at__gt=seen_since)
    for row in rows.order_by("is_readable", "first_seen_at", "pk")[:MOST_NAMED]:
        types = ", ".join(f"{name}: {kind}" for name, kind in sorted(row.example.items()))
        example = f" Its types: {{{types}}}." if types else ""
        reading = (
            "The portal understands it anyway."
            if row.is_readable
            else "The portal ignores it, so what depends on it doesn't happen."
        )
        times = counted(row.count, "time")
        yield Finding(
            organization.slug,
            FindingCode.SHAPE_CHANGED,
            Level.INFO if row.is_readable else Level.WARNING,
            f"{_sentence(row)} ({row.endpoint}), since {day(row.first_seen_at)}, {times}.{example} {reading}",
            f"Tell the portal's developers. They compare it with {Platform(row.platform).label}'s documentation.",
            HEALTH,
        )


def _sentence(row: ShapeDeviation) -> str:
    name = Platform(row.platform).label
    what = f"“{row.field}”" if row.field else "the whole answer"
    match row.found:
        case Kind.NOTHING:
            return f"{name} has begun to leave out {what}"
        case Kind.OTHER_SPELLING:
            return f"{name} has begun to spell {what} differently from {row.expected}"
        case Kind.OTHER_FORM:
            return f"{name} has begun to send {what} that isn't {row.expected}"
        case _:
            return f"{name} has begun to send {what} as {row.found} instead of {row.expected}"
