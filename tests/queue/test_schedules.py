"""Every duty has a schedule that runs as it is written: the queue would only log an error."""

import ast
import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models.functions import Now
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule

from integrations.models import Effect, Heartbeat
from integrations.queue import notify, schedules, task_names, worker
from integrations.queue.schedules import Duty, Timing
from tests import factories


@pytest.mark.usefixtures("without_background_draining")
@pytest.mark.parametrize("duty", schedules.Duty)
def test_every_duty_runs_as_it_is_scheduled(duty, connected_organization) -> None:
    schedules.ensure_schedules()
    schedule = Schedule.objects.get(name=duty.value)
    import_string(schedule.func)(*ast.literal_eval(f"({schedule.args},)"))


def test_a_schedule_of_an_earlier_release_is_updated(db) -> None:
    name = Duty.SWEEP.value
    Schedule.objects.create(
        name=name, func="integrations.earlier.sweep", schedule_type=Schedule.MINUTES, minutes=5
    )
    schedules.ensure_schedules()
    schedules.ensure_schedules()
    schedule = Schedule.objects.get(name=name)
    assert (schedule.func, schedule.args, schedule.minutes) == (
        "integrations.queue.schedules.perform_duty",
        "'sweep'",
        10,
    )


@pytest.mark.django_db(transaction=True)
def test_due_rows_are_worked_while_a_long_duty_runs(monkeypatch) -> None:
    effect = factories.EffectFactory.create(due_at=None, state="done")
    worked = threading.Event()

    def perform(row) -> None:
        row.finish()
        worked.set()

    monkeypatch.setattr(worker, "perform_effect", perform)
    was_worked = []

    def long_duty() -> None:
        Effect.objects.filter(pk=effect.pk).update(state="due", due_at=Now())
        was_worked.append(worked.wait(20))

    monkeypatch.setattr(schedules, "DUTIES", {Duty.SWEEP: Timing(long_duty, 1)})
    schedules.perform_duty(Duty.SWEEP.value)
    assert was_worked == [True]
    assert Heartbeat.is_fresh(timedelta(seconds=20))
    assert Effect.objects.get().state == "done"


def test_long_tasks_time_out_before_the_queue_hands_them_out_again(
    db, organization, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    timeouts = []
    monkeypatch.setattr(notify, "async_task", lambda *_, q_options: timeouts.append(q_options["timeout"]))
    with django_capture_on_commit_callbacks(execute=True):
        notify.request_catalog_refresh(organization)
    schedules.ensure_schedules()
    rows = Schedule.objects.filter(func="integrations.queue.schedules.perform_duty")
    timeouts += [ast.literal_eval(schedule.kwargs)["q_options"]["timeout"] for schedule in rows]
    assert set(timeouts) == {notify.LONG_TASK_SECONDS}
    seconds_for_last_steps = settings.Q_CLUSTER["timeout"] - worker.DRAIN_SECONDS
    assert seconds_for_last_steps <= worker.LAST_STEPS_SECONDS
    assert settings.Q_CLUSTER["retry"] > notify.LONG_TASK_SECONDS


def test_schedules_are_written_once(db):
    for _ in range(2):
        schedules.ensure_schedules()
    assert set(Schedule.objects.values_list("name", flat=True)) == {
        "drain",
        *(duty.value for duty in schedules.Duty),
    }
    assert set(schedules.DUTIES) == set(schedules.Duty)
    for name in (task_names.DRAIN, task_names.PERFORM_DUTY, task_names.REFRESH_CATALOG):
        assert callable(import_string(name))
    assert not OrmQ.objects.exists()


def test_duplicate_schedules_are_merged(db):
    schedules.ensure_schedules()
    for schedule in Schedule.objects.all():
        Schedule.objects.create(
            name=schedule.name, func=schedule.func, args=schedule.args, kwargs=schedule.kwargs
        )
    schedules.ensure_schedules()
    names = list(Schedule.objects.values_list("name", flat=True))
    assert len(names) == len(set(names)) == 1 + len(schedules.Duty)


def test_only_retired_schedules_of_our_own_are_removed(db):
    Schedule.objects.create(name="watch", func="integrations.queue.upkeep.watch")
    Schedule.objects.create(name="report", func="operators.own.report")
    schedules.ensure_schedules()
    names = set(Schedule.objects.values_list("name", flat=True))
    assert "watch" not in names
    assert "report" in names
