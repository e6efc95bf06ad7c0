"""Have the workers work: a task of django-q2 for each wake-up. A lost task delays work by a second, no more.

The work itself is in the database, so the task has no arguments. Each node has a queue of its own, named after it, and
its `qcluster` enqueues a task each second, whatever was lost.
"""

import logging
import time
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task
from redis import RedisError

from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import Heartbeat
from integrations.store import database

logger = logging.getLogger(__name__)

#: What the broker raises when Redis, or the database, is away.
QUEUE_OUTAGE = (DatabaseError, InterfaceError, RedisError)
#: The only task that there is.
WORK = "integrations.queue.worker.work_in_threads"
#: A process enqueues at most so often. The task looks again so long after it began, for what came in between.
ENQUEUE_EVERY_SECONDS = 0.1
#: After the queue couldn't be reached: to try may take a second, and the rows are safe.
AFTER_FAILURE_SECONDS = 2.0

#: When this process may enqueue again, by the monotonic clock.
_next_at = 0.0
#: Whether the queue answered the last time.
_is_there = True


@cache
def broker() -> Broker:
    """Return this process's broker: each has a pool of connections to Redis, and without it each task makes one."""
    return get_broker()


def notify_workers() -> None:
    """Wake the workers once the present transaction is committed; raises nothing when the queue is away."""
    transaction.on_commit(enqueue_work)


def enqueue_work() -> bool:
    """Have a worker of this node look for due rows, unless as many tasks as it has workers wait already.

    A waiting task begins later than now, so that it finds whatever is committed now. Return whether the queue is there.
    """
    global _next_at, _is_there  # noqa: PLW0603
    now = time.monotonic()
    if now < _next_at:
        return _is_there
    _next_at = now + ENQUEUE_EVERY_SECONDS
    try:
        if broker().queue_size() < settings.Q_WORKERS:
            async_task(WORK, broker=broker())
        _is_there = True
    except QUEUE_OUTAGE:
        _next_at, _is_there = now + AFTER_FAILURE_SECONDS, False
        logger.warning("the queue doesn't answer; the work goes on when it is back", exc_info=True)
    return _is_there


def request_catalog_refresh(organization: Organization) -> None:
    """Have a worker read both platforms' lists once the present transaction is committed."""
    for duty in (Duty.REFRESH_LEVER_LISTS, Duty.REFRESH_ASSESSMENTS):
        DutyRun.objects.request(duty, [organization.pk])
    notify_workers()


#: Twice the interval in which the heartbeat is written.
STALLED_AFTER = timedelta(seconds=20)


def is_stalled(node: str) -> bool:
    """Whether rows have been due for a while and no worker of the node, or of any, shows progress."""
    overdue = Now() - STALLED_AFTER
    unheld = Q(leased_until__isnull=True) | Q(leased_until__lt=overdue)
    is_overdue = any(
        model.objects.due().filter(unheld, due_at__lt=overdue).exists() for model in (Effect, Delivery)
    )
    return is_overdue and not Heartbeat.is_fresh(STALLED_AFTER, node)


def oldest_due_seconds() -> float:
    """Return for how long the longest-waiting due row has waited, 0 when nothing waits."""
    moments = [Delivery.objects.oldest_due_at(), Effect.objects.oldest_due_at()]
    waits: list[float] = [(database.now() - moment).total_seconds() for moment in moments if moment]
    return max([0.0, *waits])
