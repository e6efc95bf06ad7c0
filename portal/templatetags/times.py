"""Filters for the <time> elements of the pages."""

from datetime import UTC, datetime

from django import template
from django.utils import timezone

register = template.Library()

_FORMAT = "%-d %B %Y, %H:%M:%S"


@register.filter
def exact_time(at: datetime) -> str:
    """Return a time to the second in the reader's time zone and in UTC."""
    in_utc = f"{at.astimezone(UTC):{_FORMAT}} UTC"
    local = timezone.localtime(at)
    if not local.utcoffset():
        return in_utc
    return f"{local:{_FORMAT}} in {timezone.get_current_timezone()} · {in_utc}"


@register.filter
def iso_utc(at: datetime) -> str:
    """Return a time in UTC as ISO 8601, for the `datetime` attribute."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
