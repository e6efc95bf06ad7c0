"""The page of one delivery: its verdict and payload, what a retry would give, and the retry."""

import json
from typing import Any

from django.shortcuts import get_object_or_404
from django.views.generic import TemplateView

from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.redaction import redact
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.models.candidate import Candidate
from integrations.members.models.membership import REPLAYERS
from integrations.pages.access import OrganizationMixin, visible
from integrations.pages.activity.actions import RowActView
from integrations.pages.views import ReasonForm
from integrations.queue import on_request

#: So many of the verdicts that were replaced are shown, the newest first.
MOST_VERDICTS = 50


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

    allowed_roles = REPLAYERS

    def operate(self, form: ReasonForm) -> str:
        """Replay the delivery."""
        delivery = get_object_or_404(Delivery, pk=self.kwargs["pk"], organization=self.organization)
        decision = on_request.replay(delivery, self.user)
        return f"Retried: {decision.explanation}"
