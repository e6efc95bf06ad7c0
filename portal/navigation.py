"""The context processor behind the header and footer of every page: organization, role and navigation."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from integrations.organizations.models.organization import Organization
from integrations.pages.access import (
    admitted_membership,
    cached_memberships,
    current_membership,
)

MAX_ORGANIZATIONS = 50


@dataclass(frozen=True)
class Entry:
    """A page of a navigation: its URL name, what its link says, and which of a member's rights it needs, if any.

    The link is the current one on the page, below its address, and below further `paths`.
    """

    name: str
    label: str
    icon: str = ""
    needs: Literal[
        "sees_all_candidates", "may_configure", "may_connect", "may_open_admin", "may_read_log", ""
    ] = ""
    paths: tuple[str, ...] = ()


#: The main navigation.
MAIN = (
    Entry("overview", "Overview", "home"),
    Entry("activity", "Candidates", "people", paths=("/candidates/", "/data/", "/reports/")),
    Entry(
        "mapping-list",
        "Roles and rules",
        "list",
        "sees_all_candidates",
        ("/settings/rules/", "/preview/"),
    ),
    Entry("settings", "Settings", "settings"),
    Entry("audit", "Audit", "shield", "may_read_log", ("/admin/",)),
)
#: The tabs of an entry, and the pages of the help.
RULES = (
    Entry("mapping-list", "Roles", "", "sees_all_candidates"),
    Entry("rules", "Rules", "", "may_configure"),
)
SETTINGS = (
    Entry("settings", "Integrations"),
    Entry("team", "Team", "", "may_connect", ("/settings/members/",)),
    Entry("notification-settings", "Notifications", "", "may_configure"),
)
AUDIT = (
    Entry("audit", "Log", "", "may_read_log"),
    Entry("admin:index", "Records", "", "may_open_admin"),
)
HELP = (
    Entry("help", "Candidates"),
    Entry("help-set-up", "Set-up"),
    Entry("help-results", "Results"),
    Entry("help-team", "Team and data"),
)


@dataclass(frozen=True)
class NavigationLink:
    """One link of a navigation; `is_current` on the pages that it stands for."""

    url: str
    label: str
    icon: str
    is_current: bool


def site_context(request: HttpRequest) -> dict[str, Any]:
    """Return what base.html shows; values are lazy, so that a page which doesn't use them costs no query."""
    return {
        "version": settings.VERSION,
        "time_zone": getattr(request, "time_zone", None),
        "membership": SimpleLazyObject(lambda: admitted_membership(request)),
        "organization": SimpleLazyObject(lambda: getattr(admitted_membership(request), "organization", None)),
        "navigation": SimpleLazyObject(lambda: _links(request, MAIN)),
        "rules_tabs": SimpleLazyObject(lambda: _links(request, RULES)),
        "settings_tabs": SimpleLazyObject(lambda: _links(request, SETTINGS)),
        "audit_tabs": SimpleLazyObject(lambda: _links(request, AUDIT)),
        "help_tabs": SimpleLazyObject(lambda: _links(request, HELP)),
        "other_organizations": SimpleLazyObject(lambda: _other_organizations(request)),
    }


def _links(request: HttpRequest, entries: Iterable[Entry]) -> list[NavigationLink]:
    """Return the links that the person may follow; the one with the longest address that fits is current."""
    membership = admitted_membership(request)
    if membership is None:
        return []
    shown = [entry for entry in entries if membership.may(entry.needs)]
    fits = {
        path: entry
        for entry in shown
        for path in (reverse(entry.name), *entry.paths)
        if request.path == path or (path != "/" and request.path.startswith(path))
    }
    current = fits[max(fits, key=len)] if fits else None
    return [NavigationLink(reverse(one.name), one.label, one.icon, one is current) for one in shown]


def _other_organizations(request: HttpRequest) -> list[Organization]:
    current = current_membership(request)
    others = [one.organization for one in cached_memberships(request) if one != current]
    return sorted(others, key=lambda one: (one.name.casefold(), one.pk))[:MAX_ORGANIZATIONS]
