"""What a worker does by the clock for the whole portal: it plans the organizations' duties, and cleans up."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.core.management import call_command
from django.utils import timezone
from django_q.models import Task

from integrations import stop_signal
from integrations.models import (
    AttemptLimit,
    CacheEntry,
    FormerWebhookKey,
    LeverWebhook,
    PendingMembership,
    PortalDuty,
    ShapeDeviation,
    UserSession,
)
from integrations.models.db_retry import DATABASE_OUTAGE
from integrations.queue.duty_plan import plan_duties
from integrations.workflow.operations.old_sign_ins import erase_some_sign_ins
from integrations.workflow.outbox.run_step import Conflict, Crash, run_step

logger = logging.getLogger(__name__)

#: django-q2 writes a row when a task fails; the log says more.
FAILED_TASKS_KEPT_FOR = timedelta(days=7)


def perform_portal_duties() -> None:
    """Do what is due. Any number of workers may call this at once. During an outage of the database nothing is done."""
    try:
        _perform_due()
    except DATABASE_OUTAGE:
        logger.warning("the portal's duties are left: the database can't be reached", exc_info=True)


def _perform_due() -> None:
    PortalDuty.write_missing()
    while (duty := PortalDuty.claim()) is not None:
        outcome = run_step(PORTAL_DUTIES[PortalDuty.Name(duty.name)])
        if isinstance(outcome, Crash):
            logger.error("%s failed: %s", duty.name, outcome.traceback)
        if isinstance(outcome, Crash | Conflict):
            duty.fail(outcome.reason)
        else:
            duty.succeed()


def clean_up() -> None:
    """Remove what says nothing any more: sessions, limits, invitations, cached values, consents, tokens, deviations."""
    UserSession.objects.purge()
    AttemptLimit.purge()
    PendingMembership.objects.purge()
    CacheEntry.objects.purge()
    Task.objects.filter(stopped__lt=timezone.now() - FAILED_TASKS_KEPT_FOR).delete()
    LeverWebhook.objects.purge_retired()
    FormerWebhookKey.objects.purge_ended()
    ShapeDeviation.purge_old()
    call_command("clearsessions")
    call_command("clearsocial", age=2)
    while not stop_signal.is_requested() and erase_some_sign_ins(None):
        pass


PORTAL_DUTIES: dict[PortalDuty.Name, Callable[[], object]] = {
    PortalDuty.Name.PLAN_DUTIES: plan_duties,
    PortalDuty.Name.CLEAN_UP: clean_up,
}
