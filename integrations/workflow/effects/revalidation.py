"""Check again before sending: the candidate may have left the stage or been archived since the decision."""

from datetime import timedelta

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.lever.payloads import Opportunity
from integrations.models import Delivery, Invitation, db_clock
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.catalog.lookup import stage_name
from integrations.workflow.catalog.trigger_policy import trigger_policy

READ_AGAIN_AFTER = timedelta(minutes=2)


def reason_not_to_send(invitation: Invitation, clients: ClientProvider) -> str:
    """Return why the invitation is no longer wanted, empty when it is wanted.

    The opportunity is read again when the decision is old or a newer webhook arrived. Raises PlatformError
    when Lever doesn't answer.
    """
    now = db_clock.now()
    if now - invitation.checked_at < READ_AGAIN_AFTER and not _has_newer_delivery(invitation):
        return ""
    try:
        opportunity = clients.lever().opportunity(invitation.opportunity_id)
    except PlatformError as error:
        if error.status not in {403, 404}:
            raise
        return "Lever no longer shows the candidate."
    reason = _reason(invitation, opportunity, clients)
    if not reason:
        Invitation.objects.filter(pk=invitation.pk).update(checked_at=now)
    return reason


def _reason(invitation: Invitation, opportunity: Opportunity, clients: ClientProvider) -> str:
    organization = invitation.organization
    name = stage_name(organization, opportunity.stage_id, clients)
    if opportunity.is_archived:
        return "The candidate was archived before the invitation went out."
    if opportunity.is_anonymized or not opportunity.may_contact:
        return "The candidate may no longer be contacted."
    if not trigger_policy(organization).is_trigger(opportunity.stage_id, name):
        return "The candidate left the stage before the invitation went out."
    return ""


def _has_newer_delivery(invitation: Invitation) -> bool:
    """Whether a webhook about the candidate arrived after the candidate was last read, decided or not."""
    newer = Delivery.objects.filter(
        organization=invitation.organization_id,
        platform=Delivery.Platform.LEVER,
        opportunity_id=invitation.opportunity_id,
        received_at__gt=invitation.checked_at,
    )
    return newer.exclude(event=DeliveryEvent.SWEEP).exists()
