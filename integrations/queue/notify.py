"""The doorbell: what wakes the workers, and whether they hear it.

Rows are the memory and the queue is a doorbell: a bell that is lost costs a second, never work.
"""

import logging
import time
from functools import lru_cache, partial

from django.conf import settings
from django.db import transaction
from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

from integrations.models import Heartbeat, Organization
from integrations.queue.liveness import DRAIN, QUIET_AFTER, has_due

logger = logging.getLogger(__name__)

#: After so long a worker that does something long is killed, before its task would be handed out again.
LONG_SECONDS = 280
NOTIFY_EVERY_SECONDS = 0.1
#: For how long nobody tries again to ring a bell that failed; the supervisor's next one may be the first to work.
PAUSE_AFTER_FAILURE_SECONDS = 5.0


@lru_cache(maxsize=1)
def _broker() -> Broker:
    return get_broker()


_next_notification = 0.0


def notify_workers() -> None:
    """Wake the workers once the present transaction is committed; a bell that fails costs nothing."""
    transaction.on_commit(_notify)


def _notify() -> None:
    global _next_notification  # noqa: PLW0603
    now = time.monotonic()
    if now < _next_notification:
        return  # the bell of a moment ago, or the supervisor's of the next second, finds the row too
    _next_notification = (
        now + PAUSE_AFTER_FAILURE_SECONDS
    )  # one thread at a time waits for a queue that doesn't answer
    try:
        async_task("integrations.queue.worker.drain", q_options={"broker": _broker()})
    except Exception:
        logger.warning("the doorbell could not be rung; the workers look by themselves", exc_info=True)
    else:
        _next_notification = now + NOTIFY_EVERY_SECONDS


def request_catalog_refresh(organization: Organization) -> None:
    """Have a worker read both platforms' lists soon, after the present commit; a lost request costs an hour at most."""
    transaction.on_commit(partial(_request_catalog_refresh, organization.pk))


def _request_catalog_refresh(organization_id: int) -> None:
    try:
        options = {"broker": _broker(), "timeout": LONG_SECONDS}
        async_task("integrations.queue.schedules.refresh_catalog", organization_id, q_options=options)
    except Exception:
        logger.warning("the lists could not be asked for; the hourly round reads them", exc_info=True)


def notify_if_due() -> None:
    """Ring for rows that are due, and when the workers have been quiet; called every second by the supervisor."""
    if has_due() or not Heartbeat.is_fresh(DRAIN, QUIET_AFTER):
        try:
            if _broker().queue_size() > settings.Q_WORKERS * 2:
                return  # bells enough: a cluster that doesn't hear them is the watchdog's business
        except Exception:
            logger.debug("the queue's size is unknown", exc_info=True)
        _notify()
