"""The buttons on the activity pages, for one row or for everybody who is offered."""

import re

from django import forms
from django.shortcuts import get_object_or_404

from integrations.core.vocabulary import ActionNotAllowed
from integrations.health.findings import counted
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations
from integrations.invitations.acts.chosen import invite_offered
from integrations.invitations.acts.invitations import retry_effect
from integrations.invitations.models.invitation import Invitation
from integrations.members.acts.members import list_own_candidates
from integrations.members.models.membership import (
    ADMINS,
    APPROVERS,
    NOT_FOUND_IN_LEVER,
    REPLAYERS,
    TEAM,
)
from integrations.outbox.models.effect import Effect
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.candidate_filters import CandidateFilters
from integrations.pages.views import ActView, ReasonForm
from integrations.queue import acts as queue_acts

_ID_IN_LINK = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ResolveForm(ReasonForm):
    """The CodeScreen instance of an uncertain invitation that did arrive, by its id or link, with the reason."""

    instance_id = forms.CharField(required=False, max_length=500)

    def clean_instance_id(self) -> str:
        """Return the id; of a link the last id in it."""
        stated = str(self.cleaned_data["instance_id"])
        return _ID_IN_LINK.findall(stated)[-1] if "/" in stated and _ID_IN_LINK.search(stated) else stated


class ListOwnView(OrganizationMixin, ActView):
    """List the candidates that the member is on in Lever, from now on."""

    allowed_roles = TEAM

    def operate(self, form: forms.Form) -> str:
        """Store the choice; the first in the organization has it read who is on each candidate."""
        if not self.membership.lever_address:
            raise ActionNotAllowed(NOT_FOUND_IN_LEVER)
        list_own_candidates(self.membership, self.user)
        return (
            "The portal reads from Lever who is on which candidate. The first time this takes a few minutes."
        )

    def get_success_url(self) -> str:
        """Show the candidates that the member is on."""
        return CandidateFilters(mine="1").url


class RowActView(OrganizationMixin, ActView):
    """Do one thing to one row of the organization."""

    allowed_roles = ADMINS
    following_page = "activity"

    @property
    def invitation(self) -> Invitation:
        """The invitation that the address names; 404 for another organization's."""
        return get_object_or_404(Invitation, pk=self.kwargs["pk"], organization=self.organization)


class RetryEffectView(RowActView):
    """Retry a failed effect."""

    allowed_roles = TEAM

    def operate(self, form: ReasonForm) -> str:
        effect = get_object_or_404(Effect, pk=self.kwargs["pk"], organization=self.organization)
        retry_effect(effect, self.user)
        return "It is tried again now."


class InviteOfferedView(RowActView):
    """Invite the candidates that a sweep offers."""

    def operate(self, form: ReasonForm) -> str:
        """Have those decided who were offered up to the delivery in the address, the last that the person was shown."""
        count = invite_offered(self.organization, self.user, self.kwargs["pk"], form.cleaned_data["reason"])
        return f"{counted(count, 'candidate')} will be decided now, and invited where nothing prevents it."


class ApproveView(RowActView):
    """Send an invitation that is on hold."""

    allowed_roles = APPROVERS

    def operate(self, form: ReasonForm) -> str:
        invitations.approve(self.invitation, self.user, form.cleaned_data["reason"])
        return "The invitation is being sent."


class CancelView(RowActView):
    """Cancel an invitation that hasn't been started; from the page of one on hold, only while nothing was sent."""

    allowed_roles = APPROVERS

    def operate(self, form: ReasonForm) -> str:
        invitation = self.invitation
        only_unsent = "only_unsent" in self.request.POST
        invitations.cancel(invitation, self.user, form.cleaned_data["reason"], only_unsent=only_unsent)
        if invitation.instance_id:
            return "Cancelled: the portal no longer asks CodeScreen about this invitation."
        return "Cancelled: nothing is sent."


class ResolveAsSentView(RowActView):
    """Record that an uncertain invitation did reach CodeScreen."""

    form_class = ResolveForm

    def operate(self, form: ResolveForm) -> str:
        """Store the id of the instance that CodeScreen shows."""
        invitation, entered = self.invitation, form.cleaned_data
        if not entered["instance_id"]:
            raise ActionNotAllowed("Give the candidate's link or id in CodeScreen.")
        invitations.resolve_as_sent(invitation, entered["instance_id"], self.user, entered["reason"])
        return "Recorded: the portal tracks this invitation from now on."


class SendAgainView(RowActView):
    """Send an uncertain or failed invitation again."""

    def operate(self, form: ReasonForm) -> str:
        invitation = self.invitation
        invitations.send_again(invitation, self.user, form.cleaned_data["reason"])
        return "The invitation is being sent again."


class InviteAgainView(RowActView):
    """Begin a new round of an invitation that is over."""

    def operate(self, form: ReasonForm) -> str:
        next_round = invitations.invite_again(self.invitation, self.user, form.cleaned_data["reason"])
        return f"Round {next_round.round} begins: the invitation is being sent."


class ReplayView(RowActView):
    """Decide a stored delivery again."""

    allowed_roles = REPLAYERS

    def operate(self, form: ReasonForm) -> str:
        delivery = get_object_or_404(Delivery, pk=self.kwargs["pk"], organization=self.organization)
        decision = queue_acts.replay(delivery, self.user)
        return f"Retried: {decision.explanation}"
