"""The time zone of a page: the browser's, else the organization's; days; how long it took."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from statistics import median
from typing import Self

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date

from integrations.organizations.models.policies import zone_names
from integrations.pages.access import current_membership

COOKIE = "time_zone"  # written by portal.js, with the prefix __Host- where the portal has HTTPS


def page_time_zone(request: HttpRequest) -> str:
    """Return the time zone of a request: the browser's, else the organization's.

    The database is queried only for a request with a session.
    """
    browser = request.COOKIES.get(f"__Host-{COOKIE}" if settings.SESSION_COOKIE_SECURE else COOKIE, "")
    if browser in zone_names():
        return browser
    membership = current_membership(request) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
    own = membership.organization.time_zone if membership else ""
    return own if own in zone_names() else "UTC"


def parse_day(text: str) -> date | None:
    """Return the day that the text states as year-month-day; None when it states none."""
    try:
        return parse_date(text.strip())
    except ValueError:
        return None


def midnight(day: date) -> datetime:
    """Return when a day begins in the reader's time zone."""
    return datetime.combine(day, time.min, timezone.get_current_timezone())


def within_days[Rows: QuerySet[Model]](rows: Rows, column: str, since: str, until: str) -> Rows:
    """Return the rows from the first to the last day, both included; a day that can't be read filters nothing."""
    if (first := parse_day(since)) and first > date.min:
        rows = rows.filter(**{f"{column}__gte": midnight(first)})
    if (last := parse_day(until)) and last < date.max:
        rows = rows.filter(**{f"{column}__lt": midnight(last + timedelta(days=1))})
    return rows


@dataclass(frozen=True)
class Times:
    """How long something took, in seconds: half of the times are no longer than the median, 95 % than `most`."""

    median: float
    most: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Self | None:
        """Return it of some times; None without any. A negative one, of two clocks, counts as none at all."""
        ordered = sorted(max(0.0, one) for one in seconds)
        return cls(median(ordered), ordered[ceil(0.95 * len(ordered)) - 1]) if ordered else None
