"""Who sees which rows in the admin, and who may act on them: the roles of the organization's members."""

from collections.abc import Collection
from typing import Literal, cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from integrations.models import Membership

Right = Literal["may_connect", "may_configure", "may_retry"]


def staff_memberships(request: HttpRequest) -> dict[int, Membership]:
    """Return the person's memberships that open the admin, by organization; read once a request."""
    found: dict[int, Membership] | None = getattr(request, "_staff_memberships", None)
    if found is None:
        rows = Membership.objects.filter(user_id=cast(User, request.user).pk)  # nobody, on the sign-in page
        rows = rows.exclude(role=Membership.Role.LIMITED_TEAM_MEMBER)
        found = {row.organization_id: row for row in rows}
        request._staff_memberships = found  # type: ignore[attr-defined]
    return found


def is_superuser(request: HttpRequest) -> bool:
    """Whether the person runs the whole portal, and so sees every organization."""
    return bool(request.user.is_active and request.user.is_superuser)


def visible(request: HttpRequest) -> Collection[int]:
    """Return the organizations whose rows the person sees; only asked when they are no superuser."""
    return staff_memberships(request).keys()


def organizations_with(request: HttpRequest, right: Right) -> Collection[int]:
    """Return the organizations in which the person has that right; only asked when they are no superuser."""
    return [key for key, membership in staff_memberships(request).items() if getattr(membership, right)]


def has_right(request: HttpRequest, right: Right, organization_id: int | None = None) -> bool:
    """Whether the person has that right in that organization, or in any."""
    if is_superuser(request):
        return True
    organizations = organizations_with(request, right)
    return bool(organizations) if organization_id is None else organization_id in organizations
