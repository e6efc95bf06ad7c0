"""Which rows a person sees in the admin: their memberships' roles decide; and the filter by organization."""

from collections.abc import Collection
from typing import Any, Literal, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from integrations.accounts.acts.fresh_proof import is_admitted, is_strong
from integrations.members.models.membership import Membership, opened_memberships
from integrations.organizations.models.organization import Organization
from integrations.store.database import is_key

#: A right that a membership gives: the name of one of its properties.
Right = Literal["may_connect", "may_read_log", "may_retry_effects"]


def current_user(request: HttpRequest) -> User:
    """Return the person who is signed in; every page of the admin requires that."""
    return cast(User, request.user)


def staff_memberships(request: HttpRequest) -> dict[int, Membership]:
    """Return the person's memberships that open the admin, by organization id; read once per request.

    Left out are organizations that wait for a second factor.
    """
    memberships: dict[int, Membership] | None = getattr(request, "_staff_memberships", None)
    if memberships is None:
        # none, on the sign-in page
        own = opened_memberships(current_user(request).pk or 0, request.session)
        own = own.exclude(role=Membership.Role.LIMITED_TEAM_MEMBER)
        memberships = {
            membership.organization_id: membership
            for membership in own.select_related("organization", "user")
            if is_admitted(request, membership.organization)
        }
        request._staff_memberships = memberships  # type: ignore[attr-defined]
    return memberships


def waits_for_second_factor(request: HttpRequest) -> bool:
    """Whether the person sees nothing in the admin before a second factor."""
    if is_superuser(request) and settings.OPERATORS_NEED_SECOND_FACTOR:
        return not is_strong(request)
    if is_strong(request):
        return False
    if is_superuser(request):
        return Organization.objects.filter(requires_second_factor=True).exists()
    own = Membership.objects.filter(
        user_id=current_user(request).pk, organization__requires_second_factor=True
    )
    return not staff_memberships(request) and own.exclude(role=Membership.Role.LIMITED_TEAM_MEMBER).exists()


def is_superuser(request: HttpRequest) -> bool:
    """Whether the person runs the whole portal, and so sees every organization."""
    return bool(request.user.is_active and request.user.is_superuser)


def require_member(request: HttpRequest) -> None:
    """Raise PermissionDenied for a person who sees no records."""
    if not has_right(request, "may_retry_effects"):
        raise PermissionDenied


def visible_organizations(request: HttpRequest) -> Collection[int]:
    """Return the ids of the organizations whose rows the person sees. Not for superusers, who see all."""
    return staff_memberships(request).keys()


def has_right(request: HttpRequest, right: Right, organization_id: int | None = None) -> bool:
    """Whether the person has that right in that organization; without one, in any."""
    if is_superuser(request):
        return True
    organizations = [key for key, member in staff_memberships(request).items() if getattr(member, right)]
    return bool(organizations) if organization_id is None else organization_id in organizations


def visible[Row: Model](model: type[Row], request: HttpRequest) -> QuerySet[Row]:
    """Return the rows of the person's organizations; all for superusers. The model has a column `organization`."""
    rows: QuerySet[Row] = model._default_manager.all()
    if is_superuser(request):
        return rows
    return rows.filter(organization__in=visible_organizations(request))


def organizations(request: HttpRequest) -> QuerySet[Organization]:
    """Return the organizations whose rows the person sees, by name."""
    rows = Organization.objects.order_by("name")
    return rows if is_superuser(request) else rows.filter(pk__in=visible_organizations(request))


MAX_ORGANIZATIONS = 50


class OrganizationFilter(admin.SimpleListFilter):
    """Filter by one of the organizations that the person sees; absent when there is only one and none is chosen."""

    title = "organization"
    parameter_name = "organization"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any
    ) -> None:
        self.organization_path: str = model_admin.organization_path
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        names = organizations(request).values_list("pk", "name")[:MAX_ORGANIZATIONS]
        choices = [(str(pk), name) for pk, name in names]
        # Django ignores a value in the address where there are no choices
        return choices if len(choices) > 1 or self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen organization's rows of a list that is scoped already."""
        key = self.value()
        if key and not is_key(key):
            raise IncorrectLookupParameters
        return queryset.filter(**{self.organization_path: key}) if key else queryset
