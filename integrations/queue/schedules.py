"""The schedule of each duty, and how it is written into django-q2's table."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django_q.models import Schedule

from integrations.queue import duties, task_names
from integrations.queue.notify import LONG_TASK_SECONDS
from integrations.queue.worker import keep_draining

MINUTE, HOUR, DAY = 1, 60, 24 * 60
#: How the functions of our schedules begin. Schedules of other functions are the operator's.
OWN_FUNCTIONS = "integrations."


class Duty(StrEnum):
    """A periodic duty; the value is the schedule's name and the task's argument."""

    REQUEUE_WAITING = "requeue_waiting"
    UPDATE_INCIDENTS = "update_incidents"
    RETRY_REFUSED_KEYS = "retry_refused_keys"
    SWEEP = "sweep"
    REFRESH_CATALOGS = "refresh_catalogs"
    PROBE_LEVER = "probe_lever"
    RECORD_LINT_FINDINGS = "record_lint_findings"
    REFRESH_GRANTS = "refresh_grants"
    WARN_EXPIRY = "warn_expiry"
    SWEEP_FULLY = "sweep_fully"
    CLEANUP = "cleanup"
    PURGE = "purge"


@dataclass(frozen=True)
class Timing:
    """The function that performs a duty, and the minutes between two runs."""

    perform: Callable[[], None]
    minutes: int


DUTIES: dict[Duty, Timing] = {
    Duty.REQUEUE_WAITING: Timing(duties.requeue_waiting, MINUTE),
    Duty.UPDATE_INCIDENTS: Timing(duties.update_incidents, MINUTE),
    Duty.RETRY_REFUSED_KEYS: Timing(duties.retry_refused_keys, MINUTE),
    Duty.SWEEP: Timing(duties.sweep_all, 10 * MINUTE),
    Duty.REFRESH_CATALOGS: Timing(duties.refresh_catalogs, HOUR),
    Duty.PROBE_LEVER: Timing(duties.probe_lever, HOUR),
    Duty.RECORD_LINT_FINDINGS: Timing(duties.record_lint_findings, HOUR),
    Duty.REFRESH_GRANTS: Timing(duties.refresh_grants, HOUR),
    Duty.WARN_EXPIRY: Timing(duties.warn_expiry, 12 * HOUR),
    Duty.SWEEP_FULLY: Timing(duties.sweep_all_fully, DAY),
    Duty.CLEANUP: Timing(duties.cleanup, DAY),
    Duty.PURGE: Timing(duties.purge, DAY),
}


def perform_duty(name: str) -> None:
    """Perform one duty; due rows are worked in the background."""
    with keep_draining():
        DUTIES[Duty(name)].perform()


def ensure_schedules() -> None:
    """Write the schedules, merge duplicates and remove retired ones. The caller holds the start-up lock.

    django-q2's table allows two schedules of one name, and would run both.
    """
    options = repr({"q_options": {"timeout": LONG_TASK_SECONDS}})
    wanted: dict[str, dict[str, str | int | None]] = {
        "drain": {"func": task_names.DRAIN, "args": None, "kwargs": None, "minutes": MINUTE}
    }
    for duty, timing in DUTIES.items():
        wanted[duty.value] = {
            "func": task_names.PERFORM_DUTY,
            "args": repr(duty.value),
            "kwargs": options,
            "minutes": timing.minutes,
        }
    with transaction.atomic():
        _remove_retired(wanted)
        for name, columns in wanted.items():
            _write(name, columns)


def _remove_retired(names: Collection[str]) -> None:
    """Remove our schedules of other names: an earlier release wrote them, and their functions may be gone."""
    Schedule.objects.filter(func__startswith=OWN_FUNCTIONS).exclude(name__in=names).delete()


def _write(name: str, columns: Mapping[str, str | int | None]) -> None:
    """Make the one schedule of this name as given; when it runs next stays as it is."""
    schedules = Schedule.objects.filter(name=name).order_by("pk")
    first = schedules.first()
    if first is None:
        Schedule.objects.create(name=name, schedule_type=Schedule.MINUTES, **columns)
        return
    schedules.exclude(pk=first.pk).delete()
    changed = {column: value for column, value in columns.items() if getattr(first, column) != value}
    if changed:
        schedules.update(**changed)
