"""The buttons on the activity pages: for one invitation, for one effect, and for everybody who is offered."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.generic import View

from integrations.http.errors import PlatformError
from integrations.models import Effect, Invitation
from integrations.models.membership import ADMINS, TEAM
from integrations.pages.access import OrganizationMixin, return_url
from integrations.queue import notify, on_request
from integrations.workflow.operations import invitations
from integrations.workflow.operations.chosen import invite_offered
from integrations.workflow.operations.effects import retry_effect
from integrations.workflow.operations.errors import ActionNotAllowed


class ReasonForm(forms.Form):
    """The optional reason for an action, kept in the audit log."""

    reason = forms.CharField(required=False, max_length=500)


class ResolveForm(ReasonForm):
    """The CodeScreen instance of an uncertain invitation that did arrive, with the reason."""

    instance_id = forms.CharField(label="CodeScreen's instance id", max_length=200)


class RowActionView(OrganizationMixin, View):
    """Do one thing to one row, show the outcome as a message, and return to the page the form was on."""

    http_method_names = ["post"]
    allowed_roles = ADMINS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Perform the action; when the row's state or a platform doesn't allow it, show the reason."""
        try:
            messages.success(request, self.perform(pk))
            notify.notify_workers()
        except (ActionNotAllowed, PlatformError) as error:
            messages.error(request, str(error))
        return redirect(return_url(request, reverse("activity")))

    def perform(self, pk: int) -> str:
        """Do it and return the message. Raises ActionNotAllowed or PlatformError with the reason."""
        raise NotImplementedError

    def reason(self) -> str:
        """Return the reason that the person gave."""
        form = ReasonForm(self.request.POST)
        return str(form.cleaned_data["reason"]) if form.is_valid() else ""


class RetryEffectView(RowActionView):
    """Retry a failed effect."""

    allowed_roles = TEAM

    def perform(self, pk: int) -> str:
        """Make the effect due now."""
        effect = get_object_or_404(Effect, pk=pk, organization=self.organization)
        retry_effect(effect, self.user)
        return "It is tried again now."


class InviteOfferedView(RowActionView):
    """Invite the candidates that a sweep offers."""

    def perform(self, pk: int) -> str:
        """Have those decided who were offered up to delivery `pk`, the last that the person was shown."""
        count = invite_offered(self.organization, self.user, pk, self.reason())
        candidates = "1 candidate" if count == 1 else f"{count} candidates"
        return f"{candidates} will be decided now, and invited where nothing prevents it."


class InvitationActionView(RowActionView):
    """An action on an invitation of the person's organization."""

    def invitation(self, pk: int) -> Invitation:
        """Return the invitation, or 404."""
        return get_object_or_404(Invitation, pk=pk, organization=self.organization)


class ApproveView(InvitationActionView):
    """Let a held invitation be sent."""

    def perform(self, pk: int) -> str:
        """Approve the invitation."""
        invitations.approve(self.invitation(pk), self.user, self.reason())
        return "Approved: the invitation is being sent."


class CancelView(InvitationActionView):
    """Cancel an invitation that hasn't been started."""

    def perform(self, pk: int) -> str:
        """Cancel the invitation."""
        invitation = self.invitation(pk)
        only_unsent = "only_unsent" in self.request.POST
        invitations.cancel(invitation, self.user, self.reason(), only_unsent=only_unsent)
        if invitation.instance_id:
            return "Cancelled: the portal no longer asks CodeScreen about this invitation."
        return "Cancelled: nothing is sent."


class ResolveAsSentView(InvitationActionView):
    """Record that an uncertain invitation did reach CodeScreen."""

    def perform(self, pk: int) -> str:
        """Store the id of the instance that CodeScreen shows."""
        invitation, form = self.invitation(pk), ResolveForm(self.request.POST)
        if not form.is_valid():
            raise ActionNotAllowed("Give the instance id that CodeScreen shows for this candidate.")
        invitations.resolve_as_sent(invitation, form.cleaned_data["instance_id"], self.user, self.reason())
        return "Recorded: the portal tracks this invitation from now on."


class SendAgainView(InvitationActionView):
    """Send an uncertain or failed invitation again."""

    def perform(self, pk: int) -> str:
        """Make the invitation pending again."""
        invitations.send_again(self.invitation(pk), self.user, self.reason())
        return "The invitation is being sent again."


class InviteAgainView(InvitationActionView):
    """Begin a new round of an invitation that is over."""

    def perform(self, pk: int) -> str:
        """Create the invitation of the next round."""
        next_round = invitations.invite_again(self.invitation(pk), self.user, self.reason())
        return f"Round {next_round.round} begins: the invitation is being sent."


class CorrectAndSendAgainView(InvitationActionView):
    """Send an invitation that bounced to the address that was corrected in Lever."""

    def perform(self, pk: int) -> str:
        """Read the address from Lever, and create the invitation of the next round."""
        on_request.correct_and_send_again(self.invitation(pk), self.user, self.reason())
        return "The address is corrected: the invitation is being sent again."


class RecordDecisionView(InvitationActionView):
    """Record what was decided about a candidate who failed; changes nothing in Lever."""

    allowed_roles = TEAM

    def perform(self, pk: int) -> str:
        """Record the decision."""
        invitations.record_decision(self.invitation(pk), self.user, self.reason())
        return "Recorded: this candidate no longer waits. In Lever the portal changes nothing."
