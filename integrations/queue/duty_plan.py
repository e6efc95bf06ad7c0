"""Which duties are to be done: a row for each organization and duty, and those that something calls for now."""

import random

from integrations.models import (
    CodeScreenConnection,
    Delivery,
    Duty,
    DutyRun,
    LeverConnection,
    Organization,
    db_clock,
)
from integrations.models.duty_run import INTERVALS
from integrations.queue.notify import notify_workers
from integrations.workflow.health.incident_scan import organizations_with_changes


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
    now, interval = db_clock.now(), INTERVALS[duty]
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
