"""Which time zone a page shows its times in: the person's own choice, else their browser's, else UTC."""

import zoneinfo
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from integrations.models import PersonalSettings
from integrations.pages.access import current_membership

COOKIE = "time_zone"  # written by portal.js
HEADER = "X-Time-Zone"  # the zone of the page that a part is fetched for
CHOSEN, BROWSER, UNKNOWN = "chosen", "browser", "unknown"


@dataclass(frozen=True)
class Shown:
    """The zone of a page, and why it is that one."""

    name: str
    source: str


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """Return the names of all zones; a name from outside is looked up here and never on the disk."""
    return frozenset(zoneinfo.available_timezones()) - {"Factory", "localtime", "posixrules"}


@lru_cache(maxsize=1)
def places() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the zones a person may choose from, by continent, each with the place's name."""
    continents: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(known()):
        continent, _, place = name.partition("/")
        if place and continent not in {"Etc", "SystemV", "US", "Canada", "Brazil", "Chile", "Mexico"}:
            continents.setdefault(continent, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return tuple((continent, tuple(found)) for continent, found in continents.items())


def shown(request: HttpRequest) -> Shown:
    """Return the zone for a request; asks the database only for somebody with a session."""
    page = request.headers.get(HEADER, "")
    if page in known():
        return Shown(page, CHOSEN)
    choice = chosen(request)
    if choice in known():
        return Shown(choice, CHOSEN)
    browser = request.COOKIES.get(COOKIE, "")
    return Shown(browser, BROWSER) if browser in known() else Shown("UTC", UNKNOWN)


def chosen(request: HttpRequest) -> str:
    """Return the zone the signed-in person chose; empty for their browser's."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ""
    membership = current_membership(request)
    stored = getattr(membership.user, "personal_settings", None) if membership else None
    return str(stored.time_zone) if stored else ""


def choose(user: Any, name: str) -> bool:
    """Store a person's choice, empty for their browser's zone; whether it differs. Raises ValueError for no zone."""
    if name and name not in known():
        raise ValueError("There is no such time zone.")
    stored = PersonalSettings.objects.filter(user=user).first()
    if (stored.time_zone if stored else "") == name:
        return False
    PersonalSettings.objects.update_or_create(user=user, defaults={"time_zone": name})
    return True
