"""Bring one claimed delivery to its verdict; when that fails, record why and when it is retried."""

import logging
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.codescreen.payloads import WebhookHint
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import RETRY_FOR_IN_WORDS, ErasureCause, Platform, WebhookEvent
from integrations.http.session import CallDeferred, NotConnected, PlatformError
from integrations.http.steps import (
    RETRY_FOR,
    SHORTEST_WAIT,
    Conflict,
    Crash,
    backoff,
    deferral,
    run_step,
    wait_after,
    wait_until_shown,
)
from integrations.inbox.decide_delivery import decide_delivery
from integrations.inbox.models.delivery import Delivery, kept_of_payload
from integrations.inbox.record_candidate import record_undecided
from integrations.lever.payloads import is_test_request
from integrations.notifications.notify import notify_reconnect_needed
from integrations.privacy.erase import erase
from integrations.results.poll import apply_hint
from integrations.store import database
from integrations.store.database import with_retry
from integrations.store.leasing import MAX_CONSECUTIVE_CRASHES, NO_OUTCOME

logger = logging.getLogger(__name__)


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
    """Make the invitation due for a poll and explain it on the delivery; nothing is written if the lease was lost."""
    hint = WebhookHint.from_payload(delivery.payload)
    with transaction.atomic():
        invitation = apply_hint(delivery.organization, hint)
        if invitation:
            Delivery.objects.filter(pk=delivery.pk).update(opportunity_id=invitation.opportunity_id)
            if invitation.erased_at is not None:
                Delivery.objects.filter(pk=delivery.pk).update(payload=kept_of_payload(delivery.payload))
            more = " The invitation is cancelled." if invitation.stopped_by_user else ""
        else:
            more = " The portal didn't send this assessment."
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
    organization = delivery.organization
    if is_test_request(delivery.payload) or organization.working_lever is None:
        decide_delivery(delivery, clients)  # a test, or it waits for the connection
        return
    cause = _cause_of_erasure(delivery.opportunity_id, clients)
    if isinstance(cause, NotErased):
        reads = delivery.not_shown_reads + 1
        if (wait := wait_until_shown(reads)) is None:
            delivery.decide(VerdictCode.NOTED, cause.value)
        else:
            delivery.release(due_at=database.due_after(wait), not_shown_reads=reads, last_error="")
        return
    # erased first: killed between the two, it is erased and decided again
    receipt = erase(organization, delivery.opportunity_id, cause, Platform.LEVER.label, deciding=delivery)
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


#: A candidate without a decision for so long is listed all the same.
SHOWN_AFTER = timedelta(minutes=2)
GIVEN_UP = (
    f"For {RETRY_FOR_IN_WORDS} the portal could not read what it needs: {{reason}}. If the candidate is still in the "
    "stage, it tries again at its next comparison with Lever."
)


def handle_delivery(delivery: Delivery, clients: ClientProvider) -> None:
    """Handle a claimed delivery; raises nothing for what a platform or a bug did."""
    if delivery.is_poison:
        logger.error("delivery %s is given up: its workers ended without an outcome", delivery.pk)
        delivery.release(due_at=None, last_error=NO_OUTCOME.format(count=MAX_CONSECUTIVE_CRASHES))
        return
    result = run_step(f"delivery {delivery.pk}", lambda: _handle(delivery, clients))
    match result:
        case CallDeferred():
            _try_later(delivery, due_at=database.due_after(deferral(result)), attempts=delivery.attempts - 1)
        case Conflict():
            _try_later(delivery, due_at=Now() + backoff(delivery.attempts), last_error=result.reason)
        case PlatformError():
            _retry(delivery, result)
        case Crash():
            # a bounded number of times it is tried again; then it stops, and shows where that came from
            is_given_up = delivery.consecutive_crashes >= MAX_CONSECUTIVE_CRASHES
            delivery.release(
                due_at=None if is_given_up else Now() + backoff(delivery.consecutive_crashes),
                last_error=result.reason,
                traceback=result.traceback,
                consecutive_crashes=0 if is_given_up else delivery.consecutive_crashes,
            )


def _handle(delivery: Delivery, clients: ClientProvider) -> None:
    match Platform(delivery.platform):
        case Platform.LEVER if delivery.event == WebhookEvent.CANDIDATE_DELETED:
            note_deletion(delivery, clients)
        case Platform.LEVER:
            decide_delivery(delivery, clients)
        case Platform.CODESCREEN:
            note_codescreen_webhook(delivery)


def _retry(delivery: Delivery, error: PlatformError) -> None:
    """Try again later; after RETRY_FOR it ends in a verdict, which the sweep and people can take up."""
    notify_reconnect_needed(delivery.organization)
    now = database.now()
    failing_since = delivery.failing_since or now
    if now - failing_since >= RETRY_FOR:
        if delivery.event == WebhookEvent.CANDIDATE_DELETED:
            delivery.decide(VerdictCode.NOTED, NotErased.NOT_CONFIRMED.value)
            return
        explanation = GIVEN_UP.format(reason=str(error).rstrip("."))
        _end_lease(delivery, partial(delivery.decide, VerdictCode.NOT_VISIBLE, explanation), is_listed=True)
        return
    # without a connection the next try records the verdict `disconnected`
    is_disconnected = isinstance(error, NotConnected)
    wait = SHORTEST_WAIT if is_disconnected else wait_after(error, delivery.attempts)
    _try_later(delivery, due_at=database.due_after(wait), last_error=str(error), failing_since=failing_since)


def _try_later(delivery: Delivery, **changes: object) -> None:
    """Release it with these changes; the candidate is listed once nothing is decided about them for SHOWN_AFTER."""
    is_late = not delivery.verdict and database.now() - delivery.received_at >= SHOWN_AFTER
    _end_lease(delivery, partial(delivery.release, **changes), is_listed=is_late)


def _end_lease(delivery: Delivery, end: Callable[[], bool], *, is_listed: bool) -> None:
    """End the lease by `end`; if it `is_listed`, store the candidate too. Nothing is written if the lease was lost."""

    def write() -> None:
        with transaction.atomic():
            if is_listed:
                # before the delivery and the log: others lock the candidate first
                record_undecided(delivery)
            if not end():
                transaction.set_rollback(True)

    with_retry(write)
