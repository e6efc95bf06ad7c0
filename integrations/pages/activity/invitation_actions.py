"""The buttons for one invitation: approve, cancel, resolve, send or invite again, record a decision."""

from django.shortcuts import get_object_or_404

from integrations.models import Invitation
from integrations.models.membership import TEAM
from integrations.pages.activity.action_forms import ResolveForm
from integrations.pages.activity.row_action import RowActionView
from integrations.queue import on_request
from integrations.workflow.operations import invitations
from integrations.workflow.operations.errors import ActionNotAllowed


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
