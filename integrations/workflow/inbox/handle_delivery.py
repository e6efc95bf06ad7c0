"""Bring one claimed delivery to its verdict; when that fails, record why and when it is retried."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.http.errors import CallDeferred, NotConnected, PlatformError
from integrations.models import Delivery, db_clock
from integrations.models.db_retry import with_retry
from integrations.models.leasing import MAX_CONSECUTIVE_CRASHES, NO_OUTCOME
from integrations.verdict_code import VerdictCode
from integrations.vocabulary import Platform, WebhookEvent
from integrations.workflow.email.connection_notices import notify_reconnect_needed
from integrations.workflow.inbox.candidates import record_undecided
from integrations.workflow.inbox.codescreen_webhook import note_codescreen_webhook
from integrations.workflow.inbox.decide_delivery import decide_delivery
from integrations.workflow.inbox.deletion import NOT_CONFIRMED, note_deletion
from integrations.workflow.outbox.outcome import Conflict, Crash, run_step
from integrations.workflow.outbox.retry_policy import (
    RETRY_FOR,
    SHORTEST_WAIT,
    backoff,
    deferral,
    wait_after,
)

logger = logging.getLogger(__name__)

#: A candidate without a decision for so long is listed all the same.
SHOWN_AFTER = timedelta(minutes=2)
GIVEN_UP = (
    "For four days the portal could not read what the decision needs: {reason}. If the candidate is still in the "
    "stage, they are decided about again when the portal next compares with Lever."
)


def handle_delivery(delivery: Delivery, clients: ClientProvider) -> None:
    """Handle a claimed delivery; raises nothing for what a platform or a bug did."""
    if delivery.is_poison:
        logger.error("delivery %s is given up: its workers ended without an outcome", delivery.pk)
        delivery.release(due_at=None, last_error=NO_OUTCOME.format(count=MAX_CONSECUTIVE_CRASHES))
        return
    result = run_step(lambda: _handle(delivery, clients))
    match result:
        case CallDeferred():
            _try_later(delivery, due_at=Now() + deferral(result), attempts=delivery.attempts - 1)
        case Conflict():
            delivery.release(due_at=Now() + SHORTEST_WAIT, attempts=delivery.attempts - 1)
        case PlatformError():
            _retry(delivery, result)
        case Crash():
            logger.error("delivery %s could not be decided\n%s", delivery.pk, result.traceback)
            _record_crash(delivery, result)


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
    now = db_clock.now()
    failing_since = delivery.failing_since or now
    if now - failing_since >= RETRY_FOR:
        _give_up(delivery, error)
        return
    # without a connection the next try records the verdict `disconnected`
    is_disconnected = isinstance(error, NotConnected)
    wait = SHORTEST_WAIT if is_disconnected else wait_after(error, delivery.attempts)
    _try_later(delivery, due_at=Now() + wait, last_error=str(error), failing_since=failing_since)


def _give_up(delivery: Delivery, error: PlatformError) -> None:
    """Record that it could not be decided: what the sweep finds in the stage is then decided anew."""
    reason = str(error).rstrip(".")
    if delivery.event == WebhookEvent.CANDIDATE_DELETED:
        delivery.decide(VerdictCode.NOTED, NOT_CONFIRMED)
        return
    explanation = GIVEN_UP.format(reason=reason)
    _end_lease(delivery, partial(delivery.decide, VerdictCode.NOT_VISIBLE, explanation), is_listed=True)


def _try_later(delivery: Delivery, **changes: object) -> None:
    """Release it with these changes; the candidate is listed once nothing is decided about them for SHOWN_AFTER."""
    is_late = not delivery.verdict and db_clock.now() - delivery.received_at >= SHOWN_AFTER
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


def _record_crash(delivery: Delivery, crash: Crash) -> None:
    """Retry after a bug a bounded number of times, then stop and show where it came from."""
    is_given_up = delivery.consecutive_crashes >= MAX_CONSECUTIVE_CRASHES
    delivery.release(
        due_at=None if is_given_up else Now() + backoff(delivery.consecutive_crashes),
        last_error=crash.reason,
        traceback=crash.traceback,
        consecutive_crashes=0 if is_given_up else delivery.consecutive_crashes,
    )
