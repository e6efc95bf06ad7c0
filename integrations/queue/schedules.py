"""The schedule of each duty, and how it is written into django-q2's table."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django_q.models import Schedule

from integrations.queue import duties, task_names
from integrations.queue.notify import LONG_TASK_SECONDS
from integrations.queue.worker import keep_draining

MINUTE, HOUR, DAY = 1, 60, 24 * 60


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
    """Write the schedules; safe to run at every start, by several nodes."""
    _write("drain", func=task_names.DRAIN, args=None, kwargs=None, minutes=MINUTE)
    options = repr({"q_options": {"timeout": LONG_TASK_SECONDS}})
    for duty, timing in DUTIES.items():
        arguments = repr(duty.value)
        _write(
            duty.value, func=task_names.PERFORM_DUTY, args=arguments, kwargs=options, minutes=timing.minutes
        )


def _write(name: str, **columns: str | int | None) -> None:
    defaults = {"schedule_type": Schedule.MINUTES, **columns}
    schedule, is_new = Schedule.objects.get_or_create(name=name, defaults=defaults)
    changed = {column: value for column, value in columns.items() if getattr(schedule, column) != value}
    if changed and not is_new:
        Schedule.objects.filter(pk=schedule.pk).update(**changed)
