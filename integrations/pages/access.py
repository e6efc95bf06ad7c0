"""Which organization a page shows, and who may see it: every view of the site goes through OrganizationMixin."""

from collections.abc import Collection
from typing import Any, cast

from django.contrib.auth.mixins import AccessMixin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import View

from integrations.models import Membership, Organization

SESSION_KEY = "organization"

SUPER_ADMINS = frozenset({Membership.Role.SUPER_ADMIN})
ADMINS = SUPER_ADMINS | {Membership.Role.ADMIN}
TEAM = ADMINS | {Membership.Role.TEAM_MEMBER}
EVERYONE = TEAM | {Membership.Role.LIMITED_TEAM_MEMBER}

_UNREAD: Any = object()


def memberships_of(request: HttpRequest) -> QuerySet[Membership]:
    """Return the signed-in person's memberships with their organizations, by organization name."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Membership.objects.none()
    return (
        Membership.objects.filter(user=user)
        .select_related("organization", "user__personal_settings")
        .order_by("organization__name", "pk")
    )


def current_membership(request: HttpRequest) -> Membership | None:
    """Return the membership the person works under now: the session's choice, else their first; read once a request."""
    found = getattr(request, "_current_membership", _UNREAD)
    if found is _UNREAD:
        memberships = memberships_of(request)
        slug = request.session.get(SESSION_KEY) if hasattr(request, "session") else None
        found = (memberships.filter(organization__slug=slug).first() if slug else None) or memberships.first()
        request._current_membership = found  # type: ignore[attr-defined]
    return cast("Membership | None", found)


def back_to(request: HttpRequest, otherwise: str) -> str:
    """Return the page of this site that a form was sent from, as it says in `next`; else the address given."""
    target = request.POST.get("next", "")
    is_here = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_here else otherwise


class OrganizationMixin(AccessMixin, View):
    """Give a view `self.organization` and `self.membership`; everyone else meets the sign-in page or a 403.

    A row is looked up through `self.organization`, so that another organization's row is a 404.
    """

    allowed_roles: Collection[str] = EVERYONE
    organization: Organization
    membership: Membership

    @property
    def person(self) -> User:
        """The signed-in person."""
        return cast(User, self.request.user)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the organization and check the role before anything else happens."""
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        membership = current_membership(request)
        if membership is None:
            return render(request, "integrations/no_membership.html", status=403)
        self.membership, self.organization = membership, membership.organization
        self.check_role(request)
        return super().dispatch(request, *args, **kwargs)

    def check_role(self, request: HttpRequest) -> None:
        """Raise PermissionDenied unless the person's role may come here."""
        self.require(self.allowed_roles)

    def require(self, roles: Collection[str]) -> None:
        """Raise PermissionDenied unless the person has one of these roles."""
        if self.membership.role not in roles:
            *others, last = [label for value, label in Membership.Role.choices if value in roles]
            needed = f"{', '.join(others)} or {last}" if others else last
            raise PermissionDenied(
                f"This needs the role {needed}; yours is {self.membership.get_role_display()}."
            )
