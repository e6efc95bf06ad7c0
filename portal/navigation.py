"""What every page's frame shows: the organization, the person's role in it, and where they may go."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from integrations.models import Effect, Membership
from integrations.pages.access import EVERYONE, SUPER_ADMINS, TEAM, current_membership, memberships_of
from integrations.workflow.email import admin_requests
from integrations.workflow.email.admin_requests import AdminRequest

_PLACES = (
    ("overview", "Overview", EVERYONE),
    ("activity", "Activity", EVERYONE),
    ("mapping-list", "Mappings", TEAM),
    ("what-if", "What if…", TEAM),
    ("health", "Health", TEAM),
    ("settings", "Settings", EVERYONE),
)

#: Pages that are reached from a place and have an address of their own.
_BELOW = {"settings": ("/emails/", "/notifications/", "/audit/")}


@dataclass(frozen=True)
class RequestOption:
    """One thing a person may ask the Super Admins for, and the e-mail of their recent request for it."""

    code: str
    label: str
    email: Effect | None


@dataclass(frozen=True)
class Place:
    """One entry of the navigation."""

    url: str
    label: str
    is_current: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the frame's context; nothing is read from the database unless the page uses it."""
    return {
        "time_zone": getattr(request, "time_zone", None),
        "membership": SimpleLazyObject(lambda: current_membership(request)),
        "organization": SimpleLazyObject(lambda: _organization(request)),
        "navigation": SimpleLazyObject(lambda: _navigation(request)),
        "other_organizations": SimpleLazyObject(lambda: _others(request)),
        "request_options": SimpleLazyObject(lambda: _request_options(request)),
        "organization_admins": SimpleLazyObject(lambda: _admins(request)),
    }


def _organization(request: HttpRequest) -> Any:
    membership = current_membership(request)
    return membership.organization if membership else None


def _navigation(request: HttpRequest) -> list[Place]:
    membership = current_membership(request)
    if membership is None:
        return []
    places = []
    for name, label, roles in _PLACES:
        if membership.role in roles:
            url = reverse(name)
            inside = (url, *_BELOW.get(name, ()))
            current = request.path == url or (url != "/" and request.path.startswith(inside))
            places.append(Place(url, label, current))
    if getattr(request.user, "is_staff", False) and membership.role in TEAM:
        places.append(Place(reverse("admin:index"), "Admin", is_current=False))
    return places


def _others(request: HttpRequest) -> list[Any]:
    membership = current_membership(request)
    if membership is None:
        return []
    return [other.organization for other in memberships_of(request).exclude(pk=membership.pk)[:50]]


def _admins(request: HttpRequest) -> list[Membership]:
    membership = current_membership(request)
    if membership is None:
        return []
    admins = Membership.objects.filter(organization=membership.organization, role__in=SUPER_ADMINS)
    return list(admins.select_related("user").order_by("user__username")[:20])


def _request_options(request: HttpRequest) -> list[RequestOption]:
    """Return what may be asked for; nothing for a Super Admin, or where no Super Admin has an address."""
    membership = current_membership(request)
    if membership is None or membership.may_connect:
        return []
    if not admin_requests.super_admins_with_address(membership.organization):
        return []
    recent = admin_requests.recent_requests(membership)
    return [RequestOption(code, str(label), recent.get(code)) for code, label in AdminRequest.choices]
