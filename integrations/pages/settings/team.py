"""The Team page: the members, inviting people, and those who haven't answered yet."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.generic import TemplateView, View

from integrations.models import Membership, PendingMembership
from integrations.models.membership import SUPER_ADMINS
from integrations.models.pending_membership import LONGEST_ADDRESS
from integrations.pages.access import OrganizationMixin
from integrations.queue import notify
from integrations.recent_sign_in import proof_wanted
from integrations.workflow.email.membership_links import is_mail_sent, membership_link
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.pending_members import invite, send_again, withdraw


class InviteMemberForm(forms.Form):
    """The address and role of a new member. The person is told nothing about accounts, and neither is who invites."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=LONGEST_ADDRESS,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label="Role", choices=Membership.Role.choices, initial=Membership.Role.TEAM_MEMBER
    )


class TeamView(OrganizationMixin, TemplateView):
    """Show the members. The view that invites one inherits from it, to show the page again with a form's errors."""

    template_name = "integrations/team.html"
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the members and the pending memberships."""
        context = super().get_context_data(**kwargs)
        context.setdefault("invite_form", InviteMemberForm())
        members = self.organization.memberships.select_related("user")
        context["members"] = members.order_by("user__username")
        context["pending_members"] = self.organization.pending_memberships.order_by("email")
        context["is_mail_sent"] = is_mail_sent()
        context["roles"] = Membership.Role.choices
        return context


class InviteMemberView(TeamView):
    """Invite the person with an e-mail address. The answer doesn't tell whether they have an account."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send the invitation; the person becomes a member when they accept. A Super Admin's takes a fresh proof."""
        form = InviteMemberForm(request.POST)
        if form.is_valid():
            cleaned = form.cleaned_data
            if cleaned["role"] in SUPER_ADMINS and (wanted := proof_wanted(request, reverse("team"))):
                return wanted
            outcome = invite(self.organization, cleaned["email"], cleaned["role"], self.user)
            if isinstance(outcome, PendingMembership):
                return self._invited(outcome)
            form.add_error(None, outcome.value)
        return self.render_to_response(self.get_context_data(invite_form=form))

    def _invited(self, pending: PendingMembership) -> HttpResponse:
        notify.notify_workers()
        if not is_mail_sent():
            return redirect("pending-member", pk=pending.pk)
        messages.success(self.request, f"The invitation is on its way to {pending.email}.")
        return redirect("team")


class PendingMemberView(OrganizationMixin, TemplateView):
    """Show one pending membership; send its invitation again on POST."""

    allowed_roles = SUPER_ADMINS
    template_name = "integrations/pending_member.html"

    def pending(self) -> PendingMembership:
        """Return the row that the address names; 404 for another organization's, and once it was answered."""
        rows = self.organization.pending_memberships.select_related("organization")
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the link only where the portal can't send it: everybody who has it can answer for the person."""
        pending = self.pending()
        link = membership_link(pending) if pending.is_open and not is_mail_sent() else ""
        return super().get_context_data(pending=pending, link=link, is_mail_sent=is_mail_sent(), **kwargs)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the invitation again."""
        pending = self.pending()
        try:
            send_again(pending, self.user)
        except ActionNotAllowed as error:
            messages.error(request, str(error))
        else:
            notify.notify_workers()
            messages.success(
                request, f"The invitation is on its way to {pending.email}. Earlier links have ended."
            )
        return redirect("pending-member", pk=pk)


class WithdrawInvitationView(OrganizationMixin, View):
    """Withdraw an invitation."""

    http_method_names = ["post"]
    allowed_roles = SUPER_ADMINS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Withdraw it: its links end."""
        pending = get_object_or_404(
            self.organization.pending_memberships.select_related("organization"), pk=pk
        )
        withdraw(pending, self.user)
        notify.notify_workers()
        messages.success(
            request, f"The invitation to {pending.email} is withdrawn; its link no longer works."
        )
        return redirect("team")
