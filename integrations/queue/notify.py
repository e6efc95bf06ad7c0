"""Wake the workers. A lost notification delays work by a second; the work itself is in the database."""

import logging
import time

from django.db import DatabaseError, InterfaceError, transaction

from integrations.models import Duty, DutyRun, Organization
from integrations.queue import wake_ups

logger = logging.getLogger(__name__)

#: A process notifies at most so often, except that about AT_ONCE in quick succession are sent at once. Workers look
#: again so long after a notification, for what came in between.
NOTIFY_EVERY_SECONDS = 0.01
AT_ONCE = 5

#: When the next notification would be due if they were sent at even intervals, by the monotonic clock.
_next_notification = 0.0


def notify_workers() -> None:
    """Wake the workers once the present transaction is committed; a failed notification raises nothing."""
    transaction.on_commit(_notify)


def _notify() -> None:
    global _next_notification  # noqa: PLW0603
    now = time.monotonic()
    if _next_notification - now > (AT_ONCE - 1) * NOTIFY_EVERY_SECONDS:
        return
    _next_notification = max(now, _next_notification) + NOTIFY_EVERY_SECONDS
    try:
        wake_ups.notify()
    except (DatabaseError, InterfaceError):
        logger.warning("the workers could not be notified; they look for due rows anyway", exc_info=True)


def request_catalog_refresh(organization: Organization) -> None:
    """Have a worker read both platforms' lists once the present transaction is committed."""
    for duty in (Duty.REFRESH_LEVER_LISTS, Duty.REFRESH_ASSESSMENTS):
        DutyRun.objects.request(duty, [organization.pk])
    notify_workers()
