"""The time zone of a page: the zone the person chose, else their browser's, else UTC."""

import zoneinfo
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.models.membership import PersonalSettings
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


@dataclass(frozen=True)
class Continent:
    """The zones of one continent: each zone's name with the place's name for people."""

    name: str
    zones: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of all zones. A name from a request is looked up here, never as a file."""
    return frozenset(zoneinfo.available_timezones()) - {"Factory", "localtime", "posixrules"}


@lru_cache(maxsize=1)
def zones_by_continent() -> tuple[Continent, ...]:
    """Return the zones that a person may choose from."""
    continents: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zone_names()):
        continent, _, place = name.partition("/")
        if place and continent not in _ALIASES:
            continents.setdefault(continent, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return tuple(Continent(name, tuple(zones)) for name, zones in continents.items())


def page_time_zone(request: HttpRequest) -> PageTimeZone:
    """Return the time zone for a request; the database is queried only for a request with a session."""
    page = request.headers.get(HEADER, "")
    if page in zone_names():
        return PageTimeZone(page, Source.CHOSEN)
    choice = chosen_zone(request)
    if choice in zone_names():
        return PageTimeZone(choice, Source.CHOSEN)
    browser = request.COOKIES.get(f"__Host-{COOKIE}" if settings.SESSION_COOKIE_SECURE else COOKIE, "")
    if browser in zone_names():
        return PageTimeZone(browser, Source.BROWSER)
    return PageTimeZone("UTC", Source.UNKNOWN)


def chosen_zone(request: HttpRequest) -> str:
    """Return the zone that the signed-in person chose; empty for their browser's."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ""
    membership = current_membership(request)
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
