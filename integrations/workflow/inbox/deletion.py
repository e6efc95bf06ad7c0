"""Handle Lever's report that a candidate was deleted. It isn't signed, so Lever is asked before anything is erased."""

from enum import Enum, auto

from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.lever.payloads import is_test_request
from integrations.models import Delivery
from integrations.verdict_code import VerdictCode
from integrations.vocabulary import ErasureCause, Platform
from integrations.workflow.erasure.erase import erase
from integrations.workflow.inbox.decide_delivery import decide_delivery
from integrations.workflow.outbox.retry_policy import wait_until_shown

ERASED = "The candidate was deleted in Lever, so their name, addresses and texts were erased here."
NOTHING_STORED = "The candidate was deleted in Lever. Nothing else about them is stored here."
STILL_SHOWN = "Lever reported this candidate as deleted but still shows them, so nothing was erased."
NOT_CONFIRMED = (
    "Lever reported this candidate as deleted but doesn't let the portal check, so nothing was erased."
)


class _Answer(Enum):
    """What Lever says about the candidate now."""

    DELETED = auto()
    ANONYMIZED = auto()
    SHOWN = auto()
    REFUSED = auto()


_CAUSES = {_Answer.DELETED: ErasureCause.DELETED, _Answer.ANONYMIZED: ErasureCause.ANONYMIZED}


def note_deletion(delivery: Delivery, clients: ClientProvider) -> None:
    """Erase the person if Lever no longer has the candidate, and explain it on the delivery.

    A pause doesn't hold it back. While Lever shows the candidate it is asked again a few times. Raises PlatformError.
    """
    organization = delivery.organization
    lever = organization.lever
    if is_test_request(delivery.payload) or lever is None or not lever.is_working:
        decide_delivery(delivery, clients)  # a test, or it waits for the connection
        return
    answer = _ask(delivery.opportunity_id, clients)
    cause = _CAUSES.get(answer)
    if cause is None:
        wait = wait_until_shown(delivery.not_shown_reads + 1)
        if wait is None:
            explanation = STILL_SHOWN if answer is _Answer.SHOWN else NOT_CONFIRMED
            delivery.decide(VerdictCode.NOTED, explanation)
        else:
            reads = delivery.not_shown_reads + 1
            delivery.release(due_at=Now() + wait, not_shown_reads=reads, last_error="")
        return
    # erased first: killed between the two, it is erased and decided again
    receipt = erase(organization, delivery.opportunity_id, cause, Platform.LEVER.label, deciding=delivery)
    if receipt is None:
        delivery.decide(VerdictCode.NOTED, NOTHING_STORED)
    else:
        delivery.decide(VerdictCode.ERASED, ERASED)


def _ask(opportunity_id: str, clients: ClientProvider) -> _Answer:
    try:
        opportunity = clients.lever().opportunity(opportunity_id)
    except PlatformError as error:
        if error.status == 404:
            return _Answer.DELETED
        if error.permanent and error.status not in {None, 401}:
            return _Answer.REFUSED
        raise
    if opportunity.is_deleted:
        return _Answer.DELETED
    return _Answer.ANONYMIZED if opportunity.is_anonymized else _Answer.SHOWN
