"""What stands behind a time on a page."""

from datetime import UTC, datetime

from django import template
from django.utils import timezone

register = template.Library()

_FORMAT = "%-d %B %Y, %H:%M:%S"


@register.filter
def exact(at: datetime) -> str:
    """Return a time to the second for the reader's zone and in UTC."""
    in_utc = f"{at.astimezone(UTC):{_FORMAT}} UTC"
    here = timezone.localtime(at)
    if not here.utcoffset():
        return in_utc
    return f"{here:{_FORMAT}} in {timezone.get_current_timezone()} · {in_utc}"


@register.filter
def stamp(at: datetime) -> str:
    """Return a time for machines: ISO 8601 in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
