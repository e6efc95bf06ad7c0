"""Wake the workers. A lost notification delays work by a second; the work itself is in the database."""

import logging
import time
from functools import lru_cache, partial

from django.db import transaction
from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

from integrations.models import Organization
from integrations.queue import task_names

logger = logging.getLogger(__name__)

#: A worker that takes longer for one task is killed, before the broker would hand the task out again.
LONG_TASK_SECONDS = 280
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
    """Have a worker read both platforms' lists after the commit; if the request fails, the hourly duty reads them."""
    transaction.on_commit(partial(_request_catalog_refresh, organization.pk))


def _request_catalog_refresh(organization_id: int) -> None:
    try:
        options = {"broker": _broker(), "timeout": LONG_TASK_SECONDS}
        async_task(task_names.REFRESH_CATALOG, organization_id, q_options=options)
    except Exception:
        logger.warning("the lists could not be requested; the hourly duty reads them", exc_info=True)
