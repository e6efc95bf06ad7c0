"""Handle a CodeScreen delivery: make its invitation due for a poll."""

from django.db import transaction

from integrations.codescreen.payloads import WebhookHint
from integrations.models import Delivery
from integrations.models.delivery_insert import kept_of_payload
from integrations.verdict_code import VerdictCode
from integrations.workflow.results.webhook_hint import apply_hint


def note_codescreen_webhook(delivery: Delivery) -> None:
    """Make the invitation due for a poll and explain it on the delivery; nothing is written if the lease was lost."""
    hint = WebhookHint.from_payload(delivery.payload)
    with transaction.atomic():
        invitation = apply_hint(delivery.organization, hint)
        if invitation:
            Delivery.objects.filter(pk=delivery.pk).update(opportunity_id=invitation.opportunity_id)
            if invitation.erased_at is not None:
                Delivery.objects.filter(pk=delivery.pk).update(payload=kept_of_payload(delivery.payload))
            explanation = f"Status update received from CodeScreen (“{hint.type}”)."
            if invitation.stopped_by_user:
                explanation += " The invitation is cancelled."
        else:
            explanation = (
                f"Status update received from CodeScreen (“{hint.type}”), about an assessment that the portal "
                "didn't send."
            )
        if not delivery.decide(VerdictCode.NOTED, explanation, invitation):
            transaction.set_rollback(True)
