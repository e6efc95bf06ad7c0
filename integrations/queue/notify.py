"""Wake the workers. A lost notification delays work by a second; the work itself is in the database."""

import logging
import time
from functools import lru_cache

from django.db import transaction
from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

from integrations.models import Duty, DutyRun, Organization
from integrations.queue import task_names

logger = logging.getLogger(__name__)

NOTIFY_EVERY_SECONDS = 0.1
#: After a failure this process doesn't notify for this long: each try waits for a queue that doesn't answer.
PAUSE_AFTER_FAILURE_SECONDS = 5.0


@lru_cache(maxsize=1)
def _broker() -> Broker:
    return get_broker()


_next_notification = 0.0


def notify_workers() -> None:
    """Wake the workers once the present transaction is committed; a failed notification raises nothing."""
    transaction.on_commit(_notify)


def _notify() -> None:
    global _next_notification  # noqa: PLW0603
    now = time.monotonic()
    if now < _next_notification:
        return  # throttled: an earlier wake-up, or each node's own within a second, covers this row
    # set before the call, so that only one thread waits for the queue
    _next_notification = now + PAUSE_AFTER_FAILURE_SECONDS
    try:
        async_task(task_names.DRAIN, q_options={"broker": _broker()})
    except Exception:
        logger.warning("the workers could not be notified; they look for due rows anyway", exc_info=True)
    else:
        _next_notification = now + NOTIFY_EVERY_SECONDS


def request_catalog_refresh(organization: Organization) -> None:
    """Have a worker read both platforms' lists once the present transaction is committed."""
    for duty in (Duty.REFRESH_LEVER_LISTS, Duty.REFRESH_ASSESSMENTS):
        DutyRun.objects.request(duty, [organization.pk])
    notify_workers()
