"""What django-q2 runs by the clock: it has the duties planned, and cleans up. The duties themselves are rows."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule, Task

from integrations.models import (
    AttemptLimit,
    FormerWebhookKey,
    LeverWebhook,
    PendingMembership,
    ShapeDeviation,
    UserSession,
)
from integrations.queue import task_names

MINUTE, DAY = 1, 24 * 60
#: How the functions of our schedules begin. Schedules of other functions are the operator's.
OWN_FUNCTIONS = "integrations."
#: Of scheduled tasks the queue keeps successes too: the admin shows when each ran last, and how it ended.
KEEP_OUTCOME = "{'q_options': {'save': True}}"
OUTCOMES_KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Timing:
    """A function by its dotted name, and the minutes between two runs."""

    func: str
    minutes: int


SCHEDULES: dict[str, Timing] = {
    "plan_duties": Timing(task_names.PLAN_DUTIES, MINUTE),
    "clean_up": Timing(task_names.CLEAN_UP, DAY),
}


def clean_up() -> None:
    """Remove what says nothing any more: sessions, limits, invitations, outcomes, consents, tokens, deviations."""
    UserSession.objects.purge()
    AttemptLimit.purge()
    PendingMembership.objects.purge()
    Task.objects.filter(stopped__lt=timezone.now() - OUTCOMES_KEPT_FOR).delete()
    LeverWebhook.objects.purge_retired()
    FormerWebhookKey.objects.purge_ended()
    ShapeDeviation.purge_old()
    call_command("clearsessions")
    call_command("clearsocial", age=2)


def ensure_schedules() -> None:
    """Write the schedules, merge duplicates and remove retired ones. The caller holds the start-up lock.

    django-q2's table allows two schedules of one name, and would run both.
    """
    with transaction.atomic():
        _remove_retired(SCHEDULES)
        for name, timing in SCHEDULES.items():
            _write(name, timing)


def _remove_retired(names: Collection[str]) -> None:
    """Remove our schedules of other names: an earlier release wrote them, and their functions may be gone."""
    Schedule.objects.filter(func__startswith=OWN_FUNCTIONS).exclude(name__in=names).delete()


def _write(name: str, timing: Timing) -> None:
    """Make the one schedule of this name as given; when it runs next stays as it is."""
    columns = {**asdict(timing), "args": None, "kwargs": KEEP_OUTCOME}
    schedules = Schedule.objects.filter(name=name).order_by("pk")
    first = schedules.first()
    if first is None:
        Schedule.objects.create(name=name, schedule_type=Schedule.MINUTES, **columns)
        return
    schedules.exclude(pk=first.pk).delete()
    changed = {column: value for column, value in columns.items() if getattr(first, column) != value}
    if changed:
        schedules.update(**changed)
