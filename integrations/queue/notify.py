"""The doorbell: what wakes the workers, and whether they hear it.

Rows are the memory and the queue is a doorbell: a bell that is lost costs a second, never work.
"""

import logging
import time
from datetime import timedelta
from functools import lru_cache, partial

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

from integrations.models import Delivery, Effect, Heartbeat, Invitation, Organization, db_clock

logger = logging.getLogger(__name__)

#: The heartbeat of the workers who hear it.
DRAIN = "drain"
#: After so long a worker that does something long is killed, before its task would be handed out again.
LONG_SECONDS = 280
RING_EVERY_SECONDS = 0.1
#: For how long nobody tries again to ring a bell that failed; the supervisor's next one may be the first to work.
SILENT_SECONDS = 5.0
QUIET_AFTER = timedelta(seconds=5)
#: A drain beats many times in it, whatever its calls do, and a new cluster still starts within the 10 s promised.
STALLED_AFTER = timedelta(seconds=4)
#: At rest the bell is rung when QUIET_AFTER is over, and once more; whoever hears neither doesn't hear at all.
DEAF_AFTER = 3 * QUIET_AFTER


@lru_cache(maxsize=1)
def _broker() -> Broker:
    return get_broker()


_next_ring = 0.0


def ring() -> None:
    """Wake the workers once the present transaction is committed; a bell that fails costs nothing."""
    transaction.on_commit(_ring)


def _ring() -> None:
    global _next_ring  # noqa: PLW0603
    now = time.monotonic()
    if now < _next_ring:
        return  # the bell of a moment ago, or the supervisor's of the next second, finds the row too
    _next_ring = now + SILENT_SECONDS  # one thread at a time waits for a queue that doesn't answer
    try:
        async_task("integrations.queue.worker.drain", q_options={"broker": _broker()})
    except Exception:
        logger.warning("the doorbell could not be rung; the workers look by themselves", exc_info=True)
    else:
        _next_ring = now + RING_EVERY_SECONDS


def has_due() -> bool:
    """Whether any row waits for a worker now."""
    return (
        Effect.objects.due().exists()
        or Delivery.objects.due().exists()
        or Invitation.objects.due_for_poll().exists()
    )


def ask_for_lists(organization: Organization) -> None:
    """Have a worker read both platforms' lists soon, after the present commit; a lost request costs an hour at most."""
    transaction.on_commit(partial(_ask_for_lists, organization.pk))


def _ask_for_lists(organization_id: int) -> None:
    try:
        options = {"broker": _broker(), "timeout": LONG_SECONDS}
        async_task("integrations.queue.schedules.refresh_lists", organization_id, q_options=options)
    except Exception:
        logger.warning("the lists could not be asked for; the hourly round reads them", exc_info=True)


def ring_if_due() -> None:
    """Ring for rows that are due, and when the workers have been quiet; called every second by the supervisor."""
    if has_due() or not Heartbeat.is_fresh(DRAIN, QUIET_AFTER):
        try:
            if _broker().queue_size() > settings.Q_WORKERS * 2:
                return  # bells enough: a cluster that doesn't hear them is the watchdog's business
        except Exception:
            logger.debug("the queue's size is unknown", exc_info=True)
        _ring()


def is_stalled() -> bool:
    """Whether rows have been due for a while and no worker shows progress."""
    overdue = Now() - STALLED_AFTER
    waits = any(model.objects.left_alone_since(overdue).exists() for model in (Effect, Delivery))
    return waits and not Heartbeat.is_fresh(DRAIN, STALLED_AFTER)


def must_be_replaced() -> bool:
    """Whether the cluster stands still: with work to do, or at rest, where it doesn't hear the bells either.

    At rest too, since a frozen cluster is better replaced before the next row is due than after.
    """
    return is_stalled() or not Heartbeat.is_fresh(DRAIN, DEAF_AFTER)


def has_worked_within(seconds: float) -> bool:
    """Whether a worker has shown a sign of life in the last so many seconds."""
    return Heartbeat.is_fresh(DRAIN, timedelta(seconds=seconds))


def oldest_due_seconds() -> float:
    """Return for how long the longest-waiting due row has waited, 0 when nothing waits."""
    moments = [Delivery.objects.oldest_due_at(), Effect.objects.oldest_due_at()]
    waits: list[float] = [(db_clock.now() - moment).total_seconds() for moment in moments if moment]
    return max([0.0, *waits])
