"""A person's own memberships: the invitations they may accept or decline, and leaving an organization."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.generic import TemplateView, View

from integrations.models import PendingMembership
from integrations.pages.access import ORGANIZATION_SESSION_KEY, memberships_of
from integrations.queue import notify
from integrations.workflow.operations import consent
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.pending_members import decline


class MembershipsView(TemplateView):
    """Show the organizations that the person belongs to, and those that invite them."""

    template_name = "accounts/memberships.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the memberships, and the invitations to an address that is proven to be the person's."""
        user = cast(User, self.request.user)
        return super().get_context_data(
            memberships=memberships_of(self.request),
            invitations=consent.open_invitations(user),
            is_address_proven=consent.has_proven_address(user),
            **kwargs,
        )


class AnswerInvitationView(View):
    """Accept or decline an invitation, signed in, without its link."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Store the answer; 404 unless the invitation went to the person's own proven address."""
        user = cast(User, request.user)
        pending = get_object_or_404(consent.open_invitations(user), pk=pk)
        if request.POST.get("answer") == "decline":
            decline(pending, user)
            notify.notify_workers()
            messages.success(request, f"You declined the invitation of {pending.organization}.")
            return redirect("memberships")
        return accept_signed_in(request, pending, user, consent.Proof.EARLIER_LINK)


class LeaveOrganizationView(View):
    """End one of the person's own memberships."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Leave, unless the person is the last Super Admin; 404 for somebody else's membership."""
        member = get_object_or_404(memberships_of(request), pk=pk)
        try:
            consent.leave(member)
        except ActionNotAllowed as error:
            messages.error(request, str(error))
        else:
            notify.notify_workers()
            messages.success(request, f"You left {member.organization}.")
        return redirect("memberships")


def accept_signed_in(
    request: HttpRequest, pending: PendingMembership, user: User, proof: consent.Proof
) -> HttpResponse:
    """Accept the invitation for the signed-in person and lead them to the organization, or say why not."""
    try:
        member = consent.accept(pending, user, proof)
    except ActionNotAllowed as error:
        messages.error(request, str(error))
        return redirect("memberships")
    notify.notify_workers()
    request.session[ORGANIZATION_SESSION_KEY] = member.organization.slug
    messages.success(request, f"You are {member.get_role_display()} of {member.organization} now.")
    return redirect("overview")
