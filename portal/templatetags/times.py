"""Filters for the times of the pages; every age is in one unit."""

from datetime import UTC, datetime
from math import ceil

from django import template
from django.utils import timezone

from integrations.health.findings import lasting as in_one_unit

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


@register.filter
def lasting(seconds: float) -> str:
    """Return how long something took, at least a second."""
    return in_one_unit(max(1, ceil(seconds)))


@register.filter
def age(since: datetime, until: datetime | None = None) -> str:
    """Return how long it is from a time to another, or to now."""
    seconds = ((until or timezone.now()) - since).total_seconds()
    return in_one_unit(seconds) if seconds >= 60 else "less than a minute"


@register.filter
def ago(at: datetime) -> str:
    """Return how long ago something was."""
    return f"{age(at)} ago" if (timezone.now() - at).total_seconds() >= 60 else "just now"


@register.filter
def ahead(at: datetime) -> str:
    """Return in how long something will be."""
    left = (at - timezone.now()).total_seconds()
    if left >= 60:
        return f"in {in_one_unit(left)}"
    return "in less than a minute" if left > 0 else "now"
