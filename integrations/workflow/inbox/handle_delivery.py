"""Bring one claimed delivery to its verdict; when that fails, record why and when it is retried."""

import logging

from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.http.errors import CallDeferred, NotConnected, PlatformError
from integrations.models import Delivery
from integrations.models.leasing import MAX_CONSECUTIVE_CRASHES, NO_OUTCOME
from integrations.vocabulary import Platform, WebhookEvent
from integrations.workflow.email.connection_notices import notify_reconnect_needed
from integrations.workflow.inbox.codescreen_webhook import note_codescreen_webhook
from integrations.workflow.inbox.decide_delivery import decide_delivery
from integrations.workflow.inbox.deletion import note_deletion
from integrations.workflow.outbox.retry_policy import SHORTEST_WAIT, backoff, deferral, wait_after
from integrations.workflow.outbox.run_step import Conflict, Crash, run_step

logger = logging.getLogger(__name__)


def handle_delivery(delivery: Delivery, clients: ClientProvider) -> None:
    """Handle a claimed delivery; raises nothing for what a platform or a bug did."""
    if delivery.is_poison:
        logger.error("delivery %s is given up: its workers ended without an outcome", delivery.pk)
        delivery.release(due_at=None, last_error=NO_OUTCOME.format(count=MAX_CONSECUTIVE_CRASHES))
        return
    result = run_step(lambda: _handle(delivery, clients))
    match result:
        case CallDeferred():
            delivery.release(due_at=Now() + deferral(result), attempts=delivery.attempts - 1)
        case Conflict():
            delivery.release(due_at=Now(), attempts=delivery.attempts - 1)
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
    notify_reconnect_needed(delivery.organization)
    # without a connection the next try records the verdict `disconnected`
    is_disconnected = isinstance(error, NotConnected)
    wait = SHORTEST_WAIT if is_disconnected else wait_after(error, delivery.attempts)
    delivery.release(due_at=Now() + wait, last_error=str(error))


def _record_crash(delivery: Delivery, crash: Crash) -> None:
    """Retry after a bug a bounded number of times, then stop and show where it came from."""
    is_given_up = delivery.consecutive_crashes >= MAX_CONSECUTIVE_CRASHES
    delivery.release(
        due_at=None if is_given_up else Now() + backoff(delivery.consecutive_crashes),
        last_error=crash.reason,
        traceback=crash.traceback,
        consecutive_crashes=0 if is_given_up else delivery.consecutive_crashes,
    )
