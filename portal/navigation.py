"""The context processor behind the header and footer of every page: organization, role and navigation."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from integrations.members.models.membership import EVERYONE, SUPER_ADMINS, TEAM, Membership
from integrations.notifications import account_notices
from integrations.notifications.account_notices import AdminRequest
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.pages.access import (
    admitted_membership,
    cached_memberships,
    closed_organizations,
    current_membership,
)
from integrations.pages.activity.candidate_filters import CandidateFilters, CandidateSearch

MAX_ORGANIZATIONS = 50
MAX_SUPER_ADMINS = 20

#: The navigation: URL name, label, icon, and the roles that see it.
_LINKS: tuple[tuple[str, str, str, Collection[str]], ...] = (
    ("overview", "Overview", "home", EVERYONE),
    ("activity", "Candidates", "people", EVERYONE),
    ("report", "Reports", "chart", TEAM),
    ("what-if", "What if…", "play", TEAM),
    ("health", "Health", "health", TEAM),
    ("settings", "Settings", "settings", EVERYONE),
)

#: By URL name, further paths that the link stands for.
_SUBPAGES = {
    "activity": ("/data/",),
    "settings": ("/mappings/", "/emails/", "/audit/", "/api/"),
}


@dataclass(frozen=True)
class NavigationLink:
    """One link of the navigation; `is_current` on the pages that it stands for; `count` of what waits for a person."""

    url: str
    label: str
    icon: str
    is_current: bool
    count: str = ""


@dataclass(frozen=True)
class RequestOption:
    """One thing that a person may ask the Super Admins for, and the e-mail of their recent request for it."""

    code: str
    label: str
    email: Effect | None


def site_context(request: HttpRequest) -> dict[str, Any]:
    """Return what base.html shows; values are lazy, so that a page which doesn't use them costs no query."""
    return {
        "version": settings.VERSION,
        "time_zone": getattr(request, "time_zone", None),
        "membership": SimpleLazyObject(lambda: admitted_membership(request)),
        "organization": SimpleLazyObject(lambda: getattr(admitted_membership(request), "organization", None)),
        "navigation": SimpleLazyObject(lambda: _navigation(request)),
        "other_organizations": SimpleLazyObject(lambda: _other_organizations(request)),
        "closed_organizations": SimpleLazyObject(lambda: closed_organizations(request)),
        "request_options": SimpleLazyObject(lambda: _request_options(request)),
        "super_admins": SimpleLazyObject(lambda: _super_admins(request)),
    }


def _navigation(request: HttpRequest) -> list[NavigationLink]:
    """Return the links for the person's role; staff also get the admin."""
    membership = admitted_membership(request)
    if membership is None:
        return []
    links = []
    for name, label, icon, roles in _LINKS:
        if membership.role in roles:
            url = reverse(name)
            prefixes = (url, *_SUBPAGES.get(name, ()))
            is_current = request.path == url or (url != "/" and request.path.startswith(prefixes))
            waiting = (
                CandidateSearch(membership, CandidateFilters()).count("attention")
                if name == "activity"
                else ""
            )
            links.append(NavigationLink(url, label, icon, is_current, waiting.removeprefix("0")))
    if getattr(request.user, "is_staff", False) and membership.role in TEAM:
        links.append(NavigationLink(reverse("admin:index"), "Admin", "shield", is_current=False))
    return links


def _other_organizations(request: HttpRequest) -> list[Organization]:
    current = current_membership(request)
    others = [one.organization for one in cached_memberships(request) if one != current]
    return sorted(others, key=lambda one: (one.name.casefold(), one.pk))[:MAX_ORGANIZATIONS]


def _super_admins(request: HttpRequest) -> list[Membership]:
    membership = admitted_membership(request)
    if membership is None:
        return []
    super_admins = Membership.objects.filter(organization=membership.organization, role__in=SUPER_ADMINS)
    return list(super_admins.select_related("user").order_by("user__username")[:MAX_SUPER_ADMINS])


def _request_options(request: HttpRequest) -> list[RequestOption]:
    """Return what may be asked for; nothing for a Super Admin, or where no Super Admin has an address."""
    membership = admitted_membership(request)
    if membership is None or membership.may_connect:
        return []
    if not account_notices.super_admins_with_address(membership.organization):
        return []
    recent = account_notices.recent_requests(membership)
    return [RequestOption(code, str(label), recent.get(code)) for code, label in AdminRequest.choices]
