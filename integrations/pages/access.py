"""Which organization a page shows, who may see it, and which candidates: each view goes through OrganizationMixin."""

import logging
from collections.abc import Collection
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from allauth.account.adapter import get_adapter
from django.contrib.auth.mixins import AccessMixin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import View

from integrations.accounts.acts.fresh_proof import has_second_factor, is_admitted
from integrations.invitations.models.candidate import OpportunityPerson
from integrations.members.models.membership import EVERYONE, Membership, opened_memberships
from integrations.organizations.models.organization import Organization

logger = logging.getLogger(__name__)

#: The parameters of pages that hold what somebody searched for, which may be a candidate's name or address.
SEARCHES = frozenset({"q", "text", "candidate"})

#: The session's key for the slug of the organization that the person works in.
ORGANIZATION_SESSION_KEY = "organization"

#: More memberships than a person can have; they are read at once to find the one to show.
MOST_ORGANIZATIONS = 1000

_ALL, _CURRENT = "_memberships", "_current_membership"


def memberships_of(request: HttpRequest) -> QuerySet[Membership]:
    """Return the memberships that the person's session opens, with their organizations, the earliest first."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Membership.objects.none()
    return (
        opened_memberships(user.pk, request.session)
        .select_related("organization", "user__personal_settings")
        .order_by("created_at", "pk")
    )


def cached_memberships(request: HttpRequest) -> list[Membership]:
    """Return the memberships that the person's session opens as a list, read once per request."""
    if not hasattr(request, _ALL):
        setattr(request, _ALL, list(memberships_of(request)[:MOST_ORGANIZATIONS]))
    return cast("list[Membership]", getattr(request, _ALL))


def current_membership(request: HttpRequest) -> Membership | None:
    """Return the membership that the page is for, None for somebody without one; cached per request.

    It is that of the organization chosen in the session, else of the one that the person worked in last, else their
    earliest: never one that somebody else could put before it, by its name for example.
    """
    if not hasattr(request, _CURRENT):
        memberships = cached_memberships(request)
        slug = request.session.get(ORGANIZATION_SESSION_KEY) if hasattr(request, "session") else None
        chosen = next((one for one in memberships if slug and one.organization.slug == slug), None)
        setattr(request, _CURRENT, chosen or _last_used(memberships) or next(iter(memberships), None))
    return cast("Membership | None", getattr(request, _CURRENT))


def _last_used(memberships: list[Membership]) -> Membership | None:
    stored = getattr(memberships[0].user, "personal_settings", None) if memberships else None
    last = stored.last_organization_id if stored else None
    return next((one for one in memberships if last and one.organization_id == last), None)


def return_url(request: HttpRequest, default: str) -> str:
    """Return the page that the form's `next` names, if it is a page of this site; else `default`."""
    return own_page(request, request.POST.get("next", ""), default)


def own_page(request: HttpRequest, target: str, default: str) -> str:
    """Return the target if it is a page of this site; else `default`. A word would be taken for a URL's name."""
    is_own_page = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return target if is_own_page else default


def without_searches(target: str) -> str:
    """Return the address of a page without what was searched for there, for a place that outlives the request.

    A session is not searched when a candidate is erased. Keys of rows stay.
    """
    parts = urlsplit(target)
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in parameters if name not in SEARCHES or value.isdecimal()]
    return target if kept == parameters else parts._replace(query=urlencode(kept)).geturl()


def admitted_membership(request: HttpRequest) -> Membership | None:
    """Return the membership that the page is for; None too while its organization waits for a second factor."""
    membership = current_membership(request)
    if membership is None or not is_admitted(request, membership.organization):
        return None
    return membership


def second_factor_address(request: HttpRequest) -> str:
    """Return the page at which a signed-in person gives their second factor, or sets one up and then goes on here."""
    address = reverse("mfa_index")
    if has_second_factor(cast(User, request.user)):
        address = get_adapter().get_reauthentication_methods(request.user)[0]["url"]
    page = request.get_full_path() if request.method == "GET" else "/"
    return f"{address}?{urlencode({'next': page})}"


class OrganizationMixin(AccessMixin, View):
    """Give a view `self.organization` and `self.membership`; without them it answers with the sign-in page or 403.

    An organization that requires a second factor is shown to nobody who hasn't given one.

    Rows are looked up through `self.organization`, so that another organization's row is a 404.
    """

    allowed_roles: Collection[str] = EVERYONE
    organization: Organization
    membership: Membership

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the organization and check the role before anything else happens."""
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        membership = current_membership(request)
        if membership is None:
            return render(request, "integrations/no_membership.html", status=403)
        if not is_admitted(request, membership.organization):
            return redirect(second_factor_address(request))
        self.membership, self.organization = membership, membership.organization
        self.check_role(request)
        return super().dispatch(request, *args, **kwargs)

    def check_role(self, request: HttpRequest) -> None:
        """Raise PermissionDenied unless the person's role may use this view."""
        self.require(self.allowed_roles)

    def require(self, roles: Collection[str]) -> None:
        """Raise PermissionDenied unless the person has one of these roles."""
        if self.membership.role not in roles:
            *others, last = [label for value, label in Membership.Role.choices if value in roles]
            needed = f"{', '.join(others)} or {last}" if others else last
            logger.warning(
                "user %s was refused %s as %s", self.user.pk, self.request.path, self.membership.role
            )
            raise PermissionDenied(
                f"This needs the role {needed}; yours is {self.membership.get_role_display()}."
            )


def visible[Rows: QuerySet[Any]](rows: Rows, member: Membership) -> Rows:
    """Return those rows that are about candidates the member sees."""
    return rows if member.sees_all_candidates else own(rows, member)


def own[Rows: QuerySet[Any]](rows: Rows, member: Membership) -> Rows:
    """Return those rows that are about candidates the member is on in Lever."""
    return rows.filter(
        opportunity_id__in=OpportunityPerson.objects.of_member(member).values("opportunity_id")
    )


def sees(member: Membership, opportunity_id: str) -> bool:
    """Whether the member sees this candidate."""
    if member.sees_all_candidates:
        return True
    return OpportunityPerson.objects.of_member(member).filter(opportunity_id=opportunity_id).exists()
