"""The buttons on the activity pages, for one row or for everybody who is offered; and the page of one delivery.

A delivery's page has its verdict and payload, what a retry would give, and the retry.
"""

import json
from typing import Any

from django import forms
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.generic import TemplateView

from integrations.core.vocabulary import ActionNotAllowed
from integrations.health.findings import counted
from integrations.http.redaction import redact
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.acts import invitations
from integrations.invitations.acts.chosen import invite_offered
from integrations.invitations.acts.undo import retry_effect
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import ADMINS, TEAM
from integrations.outbox.models import Effect
from integrations.pages.access import OrganizationMixin, visible
from integrations.pages.views import ActView, ReasonForm
from integrations.queue import on_request

#: So many of the verdicts that were replaced are shown, the newest first.
MOST_VERDICTS = 50


class ResolveForm(ReasonForm):
    """The CodeScreen instance of an uncertain invitation that did arrive, with the reason."""

    instance_id = forms.CharField(required=False, max_length=200)


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
        """Make the effect due now."""
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
    """Let a held invitation be sent."""

    def operate(self, form: ReasonForm) -> str:
        """Approve the invitation."""
        invitations.approve(self.invitation, self.user, form.cleaned_data["reason"])
        return "Approved: the invitation is being sent."


class CancelView(RowActView):
    """Cancel an invitation that hasn't been started."""

    def operate(self, form: ReasonForm) -> str:
        """Cancel the invitation."""
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
            raise ActionNotAllowed("Give the instance id that CodeScreen shows for this candidate.")
        invitations.resolve_as_sent(invitation, entered["instance_id"], self.user, entered["reason"])
        return "Recorded: the portal tracks this invitation from now on."


class SendAgainView(RowActView):
    """Send an uncertain or failed invitation again."""

    def operate(self, form: ReasonForm) -> str:
        """Make the invitation pending again."""
        invitations.send_again(self.invitation, self.user, form.cleaned_data["reason"])
        return "The invitation is being sent again."


class InviteAgainView(RowActView):
    """Begin a new round of an invitation that is over."""

    def operate(self, form: ReasonForm) -> str:
        """Create the invitation of the next round."""
        next_round = invitations.invite_again(self.invitation, self.user, form.cleaned_data["reason"])
        return f"Round {next_round.round} begins: the invitation is being sent."


class CorrectAndSendAgainView(RowActView):
    """Send an invitation that bounced to the address that was corrected in Lever."""

    def operate(self, form: ReasonForm) -> str:
        """Read the address from Lever, and create the invitation of the next round."""
        on_request.correct_and_send_again(self.invitation, self.user, form.cleaned_data["reason"])
        return "The address is corrected: the invitation is being sent again."


class RecordDecisionView(RowActView):
    """Record what was decided about a candidate who failed; changes nothing in Lever."""

    allowed_roles = TEAM

    def operate(self, form: ReasonForm) -> str:
        """Record the decision."""
        invitations.record_decision(self.invitation, self.user, form.cleaned_data["reason"])
        return "Recorded: this candidate no longer waits. In Lever the portal changes nothing."


def redacted_json(payload: object) -> str:
    """Return a payload as indented JSON without personal data and secrets."""
    return json.dumps(redact(payload), indent=2, ensure_ascii=False, sort_keys=True)


class DeliveryView(OrganizationMixin, TemplateView):
    """Show one delivery; with `?preview`, who may replay also sees what a retry would give."""

    template_name = "integrations/delivery.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the delivery; the preview runs the same code as the replay and writes nothing."""
        deliveries = visible(Delivery.objects.select_related("invitation"), self.membership)
        delivery = get_object_or_404(deliveries, pk=self.kwargs["pk"], organization=self.organization)
        # the candidate's name as the portal has it; empty when it has none
        own = {"organization": self.organization, "opportunity_id": delivery.opportunity_id}
        name = Candidate.objects.filter(**own).values_list("name", flat=True).first()
        earlier = delivery.verdicts.filter(is_current=False).select_related("invitation")
        may_replay = self.membership.may_replay and delivery.platform == Delivery.Platform.LEVER
        context = super().get_context_data(
            delivery=delivery,
            candidate_name=name or (delivery.invitation.candidate_name if delivery.invitation else ""),
            next_step=next_step(delivery.verdict, delivery.invitation),
            now=timezone.now(),
            payload=redacted_json(delivery.payload),
            earlier_verdicts=earlier.order_by("-decided_at", "-pk")[:MOST_VERDICTS],
            may_replay=may_replay,
            **kwargs,
        )
        if may_replay and "preview" in self.request.GET:
            try:
                context["decision"] = on_request.preview(delivery)
            except (ActionNotAllowed, PlatformError) as error:
                context["preview_error"] = str(error)
        return context


class ReplayView(RowActView):
    """Decide a stored delivery again."""

    allowed_roles = ADMINS  # those whose membership `may_replay`

    def operate(self, form: ReasonForm) -> str:
        """Replay the delivery."""
        delivery = get_object_or_404(Delivery, pk=self.kwargs["pk"], organization=self.organization)
        decision = on_request.replay(delivery, self.user)
        return f"Retried: {decision.explanation}"
