"""What a worker does by the clock for the whole portal: it plans the organizations' duties, and cleans up."""

import logging
import random
from collections.abc import Callable
from datetime import timedelta

from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ

from integrations import stop_signal
from integrations.accounts.models.sessions import AttemptLimit, UserSession
from integrations.clients.models import ShapeDeviation
from integrations.codescreen.models import CodeScreenConnection
from integrations.health.incidents import organizations_with_changes
from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import PendingMembership
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.webhook_keys import FormerWebhookKey
from integrations.outbox.outcome import Conflict, Crash, run_step
from integrations.privacy.old_records import erase_some_sign_ins
from integrations.queue.models.duty_run import INTERVALS, Duty, DutyRun
from integrations.queue.models.nodes import CacheEntry, PortalDuty
from integrations.queue.notify import notify_workers
from integrations.store import database

logger = logging.getLogger(__name__)

#: A task that no worker has fetched for so long is in the queue of a node that is gone.
TASKS_KEPT_FOR = timedelta(days=1)


def perform_portal_duties() -> None:
    """Do what is due. Any number of workers may call this at once."""
    PortalDuty.write_missing()
    while (duty := PortalDuty.claim()) is not None:
        outcome = run_step(PORTAL_DUTIES[PortalDuty.Name(duty.name)])
        if isinstance(outcome, Crash):
            logger.error("%s failed: %s", duty.name, outcome.traceback)
        if isinstance(outcome, Crash | Conflict):
            duty.fail(outcome.reason)
        else:
            duty.succeed()


# plan the organizations' duties


def plan_duties() -> None:
    """Write the missing rows, and request what something calls for; a few queries over all organizations."""
    for duty in INTERVALS:
        _write_missing(duty)
    for duty, organization_ids in (
        (Duty.UPDATE_INCIDENTS, organizations_with_changes()),
        (Duty.REQUEUE_WAITING, _with_stranded_deliveries()),
        (Duty.RETRY_REFUSED_KEY, _with_refused_key()),
    ):
        if organization_ids:
            DutyRun.objects.request(duty, sorted(organization_ids))
            notify_workers()


def _write_missing(duty: Duty) -> None:
    """Write the duty's row for each organization that has none; they are due spread over the interval."""
    known = DutyRun.objects.filter(duty=duty).values("organization")
    new = Organization.objects.exclude(pk__in=known).values_list("pk", flat=True)
    now, interval = database.now(), INTERVALS[duty]
    runs = [
        DutyRun(organization_id=organization_id, duty=duty, due_at=now + interval * random.random())  # noqa: S311
        for organization_id in new
    ]
    DutyRun.objects.bulk_create(runs, ignore_conflicts=True, batch_size=500)


def _with_stranded_deliveries() -> set[int]:
    """Return the organizations that are connected again, and whose waiting deliveries nobody has requeued."""
    working = Organization.objects.filter(
        paused=False,
        lever_connection__state=LeverConnection.State.CONNECTED,
        codescreen_connection__state=CodeScreenConnection.State.CONNECTED,
    )
    stranded = Delivery.objects.stranded().filter(organization__in=working)
    return set(stranded.order_by().values_list("organization", flat=True).distinct())


def _with_refused_key() -> set[int]:
    """Return the organizations whose CodeScreen key was refused."""
    refused = CodeScreenConnection.objects.filter(state=CodeScreenConnection.State.REFUSED)
    return set(refused.filter(organization__paused=False).values_list("organization", flat=True))


# clean up


def clean_up() -> None:
    """Remove what says nothing any more: sessions, limits, invitations, cached values, consents, tokens, deviations."""
    UserSession.objects.purge()
    AttemptLimit.purge()
    PendingMembership.objects.purge()
    CacheEntry.objects.purge()
    OrmQ.objects.filter(lock__lt=timezone.now() - TASKS_KEPT_FOR).delete()  # unread
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
