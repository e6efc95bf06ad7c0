"""The time zone of a page: the person's choice, else the browser's or the organization's; days; how long it took."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from math import ceil
from statistics import median
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date

from integrations.core.time_zones import zone_names, zone_of
from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.models.membership import Membership, PersonalSettings
from integrations.pages.access import current_membership

COOKIE = "time_zone"  # written by portal.js, with the prefix __Host- where the portal has HTTPS
HEADER = "X-Time-Zone"  # portal.js sends the zone of the page when it fetches a partial

#: Directories of the zone database that hold older names of places listed elsewhere.
_ALIASES = frozenset({"Etc", "SystemV", "US", "Canada", "Brazil", "Chile", "Mexico"})


class Source(StrEnum):
    """How the time zone of a page was found."""

    CHOSEN = "chosen"
    BROWSER = "browser"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PageTimeZone:
    """The time zone of a page, and how it was found."""

    name: str
    source: Source


@lru_cache(maxsize=1)
def zones_by_continent() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the zones that a person may choose from: of each continent their names, with the places' for people."""
    continents: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zone_names()):
        continent, _, place = name.partition("/")
        if place and continent not in _ALIASES:
            continents.setdefault(continent, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return list(continents.items())


def page_time_zone(request: HttpRequest) -> PageTimeZone:
    """Return the time zone for a request; the database is queried only for a request with a session."""
    page = request.headers.get(HEADER, "")
    if page in zone_names():
        # portal.js fetches a part in its page's zone; only the whole page says how the zone was found
        return PageTimeZone(page, Source.CHOSEN)
    choice = chosen_zone(request)
    if choice in zone_names():
        return PageTimeZone(choice, Source.CHOSEN)
    browser = request.COOKIES.get(f"__Host-{COOKIE}" if settings.SESSION_COOKIE_SECURE else COOKIE, "")
    if browser in zone_names():
        return PageTimeZone(browser, Source.BROWSER)
    membership = _membership(request)
    return PageTimeZone(zone_of(membership.organization.time_zone if membership else "").key, Source.UNKNOWN)


def _membership(request: HttpRequest) -> Membership | None:
    return current_membership(request) if settings.SESSION_COOKIE_NAME in request.COOKIES else None


def chosen_zone(request: HttpRequest) -> str:
    """Return the zone that the signed-in person chose; empty for their browser's."""
    membership = _membership(request)
    stored = getattr(membership.user, "personal_settings", None) if membership else None
    return str(stored.time_zone) if stored else ""


def choose_zone(user: User, name: str) -> bool:
    """Store a person's choice, empty for their browser's zone; return whether it changed.

    Raises ActionNotAllowed for a name that isn't a zone's.
    """
    if name and name not in zone_names():
        raise ActionNotAllowed("There is no such time zone.")
    stored = PersonalSettings.objects.filter(user=user).first()
    if (stored.time_zone if stored else "") == name:
        return False
    PersonalSettings.objects.update_or_create(user=user, defaults={"time_zone": name})
    return True


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
    if first := parse_day(since):
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
