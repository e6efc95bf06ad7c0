"""The security page of an organization: whether a second factor is required, and which members have one."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from integrations.models import AuthenticatorApp, Membership, Passkey
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.recent_sign_in import proof_wanted
from integrations.workflow.operations.policies import is_less_secure, set_policies


@dataclass(frozen=True)
class MemberFactors:
    """One member, and which second factors they have."""

    membership: Membership
    has_app: bool
    has_passkey: bool

    @property
    def has_any(self) -> bool:
        """Whether the member has a second factor."""
        return self.has_app or self.has_passkey


class SecurityView(OrganizationMixin, TemplateView):
    """Require a second factor or not, and see who would have to set one up."""

    template_name = "integrations/security.html"
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the members with their second factors."""
        members = [
            MemberFactors(member, has_app=member.has_app, has_passkey=member.has_passkey)
            for member in self.organization.memberships.annotate(
                has_app=Exists(AuthenticatorApp.objects.confirmed().filter(user=OuterRef("user"))),
                has_passkey=Exists(Passkey.objects.filter(user=OuterRef("user"))),
            )
            .select_related("user")
            .order_by("user__username")
        ]
        return super().get_context_data(
            members=members, without=sum(not member.has_any for member in members), **kwargs
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store whether a second factor is required; to require none takes a fresh proof."""
        wanted = "requires_second_factor" in request.POST
        values = {"requires_second_factor": wanted}
        if is_less_secure(self.organization, values) and (
            proof := proof_wanted(request, reverse("security"))
        ):
            return proof
        if not set_policies(self.organization, values, self.user):
            messages.info(request, "Nothing was changed.")
        elif wanted:
            messages.success(request, "A second factor is required now, of every session that is open too.")
        else:
            messages.success(
                request, "A second factor is no longer required. Members who have one are still asked for it."
            )
        return redirect("security")
