"""A task takes up rows and duties as they come, ends what it began, and survives an outage of the database."""

import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.models.functions import Now

from integrations.http import deadlines
from integrations.outbox.models.effect import Effect
from integrations.queue import duties, notify, worker
from integrations.queue.models.duty_run import DUTY_LEASE, Duty, DutyRun
from integrations.queue.models.nodes import Heartbeat, PortalDuty
from tests.support import factories


@pytest.mark.django_db(transaction=True)
def test_a_task_ends_without_an_error_when_the_database_goes_away(organization, monkeypatch):
    factories.EffectFactory(organization=organization)

    def lose_database(*_):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(worker, "perform_effect", lose_database)
    worker.work_in_threads(1)
    effect = Effect.objects.get()
    assert (effect.state, effect.attempts) == ("due", 1)
    assert effect.leased_until is not None


@pytest.mark.django_db(transaction=True)
def test_the_step_in_flight_ends_and_nothing_is_claimed_when_a_stop_was_requested(
    organization, request_stop, monkeypatch
):
    def perform(effect, _):
        request_stop()
        time.sleep(0.1)
        effect.finish()

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(settings, "STEP_THREADS", 1)
    for _ in range(3):
        factories.EffectFactory.create(organization=organization)
    worker.work_in_threads(20)
    worker.work_in_threads(20)
    assert Effect.objects.filter(state="done").count() == 1
    assert Effect.objects.filter(attempts=0).count() == 2


class Clock:
    """The clock of a task, moved on by the seconds that have passed for it alone."""

    passed = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.passed


@pytest.mark.django_db(transaction=True)
def test_rows_are_worked_while_a_long_duty_outlasts_the_task(organization, monkeypatch):
    effect = factories.EffectFactory.create(organization=organization, due_at=None, state="done")
    worked = threading.Event()
    was_worked: list[bool] = []

    def perform(row, _):
        row.finish()
        worked.set()

    def long_duty(*_):
        Heartbeat.objects.all().delete()
        clock.passed = (
            21.0  # the task's time is over now, however slow the machine is, and so is a heartbeat's
        )
        Effect.objects.filter(pk=effect.pk).update(state="due", due_at=Now())
        was_worked.append(worked.wait(20))

    clock = Clock()
    monkeypatch.setattr(worker, "time", clock)
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(long_duty))
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    worker.work_in_threads(20)
    assert was_worked == [True]
    assert Effect.objects.get().state == "done"
    assert DutyRun.objects.get(duty=Duty.SWEEP).succeeded_at is not None
    assert Heartbeat.objects.exists()  # a cluster with a long duty isn't taken for a frozen one


def test_a_duty_and_the_last_calls_of_a_task_end_before_the_worker_is_killed():
    duty_ends = duties.TURN_SECONDS + deadlines.TOTAL_SECONDS
    assert duty_ends * 2 < worker.BESIDE_DUTIES_SECONDS
    assert duty_ends < DUTY_LEASE.total_seconds()
    rows_end = worker.BESIDE_DUTIES_SECONDS + worker.CALLS_SECONDS + deadlines.TOTAL_SECONDS
    assert rows_end + 10 < settings.Q_CLUSTER["timeout"]
    assert settings.Q_CLUSTER["timeout"] < settings.Q_CLUSTER["retry"]
    assert worker.CANDIDATE_SECONDS < worker.CALLS_SECONDS


@pytest.mark.django_db(transaction=True)
def test_what_came_while_nothing_was_enqueued_is_found_before_the_task_ends(organization, monkeypatch):
    """A process that has just enqueued a task enqueues none for the rows that it commits next."""
    effect = factories.EffectFactory.create(organization=organization)
    Effect.objects.update(due_at=Now() + timedelta(seconds=notify.ENQUEUE_EVERY_SECONDS))
    monkeypatch.setattr(worker, "perform_effect", lambda row, _: row.finish())
    worker.work_in_threads()
    effect.refresh_from_db()
    assert effect.state == "done"


@pytest.mark.django_db(transaction=True)
def test_a_task_does_the_portals_duties_and_enqueues_the_next_when_its_time_is_over(notifications):
    worker.work_in_threads()
    assert PortalDuty.objects.filter(succeeded_at__isnull=False).count() == len(PortalDuty.Name)
    assert notifications == []  # it ended since nothing was left to do
    worker.work_in_threads(0.0)
    assert notifications == [notify.WORK]


@pytest.mark.django_db(transaction=True)
def test_no_more_rows_are_held_than_can_be_worked_at_once(organization, request_stop, monkeypatch):
    held = []

    def perform(effect, _):
        time.sleep(0.05)
        held.append(Effect.objects.filter(leased_until__isnull=False).count())
        effect.finish()
        if len(held) == 6:
            request_stop()

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(settings, "STEP_THREADS", 2)
    factories.EffectFactory.create_batch(6, organization=organization)
    worker.work_in_threads(30)
    assert len(held) == 6
    assert max(held) == 2
