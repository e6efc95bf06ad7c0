"""What is noted without a decision: a deletion in Lever, and what CodeScreen reports."""

from enum import Enum

from django.db import transaction

from integrations.clients.provider import ClientProvider
from integrations.codescreen.payloads import WebhookHint
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ErasureCause, Platform
from integrations.http.session import PlatformError
from integrations.http.steps import LATE_STAGE_WAITS, wait_until_shown
from integrations.inbox.models.delivery import Delivery, kept_of_payload
from integrations.invitations.models.invitation import Invitation
from integrations.privacy.erase import erase
from integrations.results.poll import apply_hint
from integrations.store import database

#: What CodeScreen's webhooks report, by their type.
REPORTS = {
    "candidate.invited": "the invitation was sent",
    "candidate.started": "the candidate started",
    "candidate.submitted": "the candidate submitted",
    "candidate.evaluated": "the evaluation is finished",
    "candidate.expired": "the assessment expired",
    "candidate.email_bounced": "the invitation bounced",
    "candidate.reopened": "the assessment is open again",
    "candidate.result_updated": "the result was changed",
}


def note_codescreen_webhook(delivery: Delivery) -> None:
    """Make the invitation due for a poll and explain it on the delivery; nothing is written if the lease was lost.

    CodeScreen may report an invitation before it answers the call that sends it: that is waited for a few times.
    """
    hint = WebhookHint.from_payload(delivery.payload)
    # first: what is no longer being sent then has its instance
    sending = Invitation.objects.filter(organization=delivery.organization, status=Invitation.Status.SENDING)
    is_sending = sending.exists()
    with transaction.atomic():
        invitation = apply_hint(delivery.organization, hint)
        reads = delivery.late_reads + 1
        if invitation is None and is_sending and (wait := wait_until_shown(reads, LATE_STAGE_WAITS)):
            delivery.release(due_at=database.due_after(wait), late_reads=reads, last_error="")
            return
        if invitation:
            Delivery.objects.filter(pk=delivery.pk).update(opportunity_id=invitation.opportunity_id)
            if invitation.erased_at is not None:
                Delivery.objects.filter(pk=delivery.pk).update(payload=kept_of_payload(delivery.payload))
            more = " The invitation is cancelled." if invitation.stopped_by_user else ""
        else:
            more = " The portal has no invitation for it."
        explanation = f"CodeScreen reports: {REPORTS.get(hint.type, f'“{hint.type}”')}.{more}"
        if not delivery.decide(VerdictCode.NOTED, explanation, invitation):
            transaction.set_rollback(True)


ERASED = "The candidate was deleted in Lever, so their name, addresses and texts were erased here."
NOTHING_STORED = "The candidate was deleted in Lever. Nothing else about them is stored here."


class NotErased(Enum):
    """Why nobody was erased, as the verdict explains it."""

    STILL_SHOWN = "Lever says that the candidate was deleted, but still shows them. So nothing was erased."
    NOT_CONFIRMED = (
        "Lever says that the candidate was deleted, but doesn't let the portal check. So nothing was erased."
    )


def note_deletion(delivery: Delivery, clients: ClientProvider) -> None:
    """Erase the person if Lever no longer has the candidate, and explain it on the delivery.

    The report isn't signed, so Lever is asked before anything is erased: a few times while it shows the candidate. A
    pause doesn't hold it back. Raises PlatformError.
    """
    cause = _cause_of_erasure(delivery.opportunity_id, clients)
    if isinstance(cause, NotErased):
        reads = delivery.not_shown_reads + 1
        if (wait := wait_until_shown(reads)) is None:
            delivery.decide(VerdictCode.NOTED, cause.value)
        else:
            delivery.release(due_at=database.due_after(wait), not_shown_reads=reads, last_error="")
        return
    # erased first: killed between the two, it is erased and decided again
    receipt = erase(
        delivery.organization, delivery.opportunity_id, cause, Platform.LEVER.label, deciding=delivery
    )
    if receipt is None:
        delivery.decide(VerdictCode.NOTED, NOTHING_STORED)
    else:
        delivery.decide(VerdictCode.ERASED, ERASED)


def _cause_of_erasure(opportunity_id: str, clients: ClientProvider) -> ErasureCause | NotErased:
    """Return why the person is to be erased by what Lever says now, or why not. Raises PlatformError."""
    try:
        opportunity = clients.lever().opportunity(opportunity_id)
    except PlatformError as error:
        if error.status == 404:
            return ErasureCause.DELETED
        if error.permanent and error.status not in {None, 401}:
            return NotErased.NOT_CONFIRMED
        raise
    if opportunity.is_deleted:
        return ErasureCause.DELETED
    return ErasureCause.ANONYMIZED if opportunity.is_anonymized else NotErased.STILL_SHOWN
