"""A drain takes up rows and duties as they come, ends what it began, and survives an outage of the database."""

import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from integrations import duty_budget
from integrations.http import deadlines
from integrations.models import Duty, DutyRun, Effect, Heartbeat
from integrations.models.duty_run import DUTY_LEASE
from integrations.queue import drain, duties, notify, worker
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_everything_due_is_worked(organization, monkeypatch):
    for number in range(12):
        factories.EffectFactory(organization=organization, opportunity_id=f"o{number}")
    monkeypatch.setattr(worker, "perform_effect", lambda row, _: row.finish())
    drain.drain(1)
    assert set(Effect.objects.values_list("state", flat=True)) == {"done"}
    assert Heartbeat.is_fresh(timedelta(seconds=15))


@pytest.mark.django_db(transaction=True)
def test_a_drain_ends_without_an_error_when_the_database_goes_away(organization, monkeypatch):
    factories.EffectFactory(organization=organization)

    def lose_database(*_):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(worker, "perform_effect", lose_database)
    drain.drain(1)
    effect = Effect.objects.get()
    assert (effect.state, effect.attempts) == ("due", 1)
    assert effect.leased_until is not None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_claimed_when_a_stop_was_requested(organization, request_stop, monkeypatch):
    performed = []

    def perform(effect, _):
        performed.append(effect.pk)
        effect.finish()
        request_stop()

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(settings, "DRAIN_THREADS", 1)
    for _ in range(3):
        factories.EffectFactory.create(organization=organization)
    drain.drain(20)
    drain.drain(20)
    assert len(performed) == 1
    assert Effect.objects.filter(attempts=0).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_drain_returns_after_the_steps_in_flight_when_a_stop_was_requested(
    organization, request_stop, monkeypatch
):
    def perform(effect, _):
        request_stop()
        time.sleep(0.3)
        effect.finish()

    monkeypatch.setattr(worker, "perform_effect", perform)
    effect = factories.EffectFactory.create(organization=organization)
    drain.drain(20)
    effect.refresh_from_db()
    assert effect.state == "done"


class Clock:
    """The clock of a drain, moved on by the seconds that have passed for it alone."""

    passed = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.passed


@pytest.mark.django_db(transaction=True)
def test_rows_are_worked_while_a_long_duty_outlasts_the_drain(organization, monkeypatch):
    effect = factories.EffectFactory.create(organization=organization, due_at=None, state="done")
    worked = threading.Event()
    was_worked: list[bool] = []

    def perform(row, _):
        row.finish()
        worked.set()

    def long_duty(*_):
        clock.passed = 21.0  # the drain's time is over now, however slow the machine is
        Heartbeat.objects.all().delete()
        Effect.objects.filter(pk=effect.pk).update(state="due", due_at=Now())
        was_worked.append(worked.wait(20))

    clock = Clock()
    monkeypatch.setattr(drain, "time", clock)
    monkeypatch.setattr(drain, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(long_duty))
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    drain.drain(20)
    assert was_worked == [True]
    assert Effect.objects.get().state == "done"
    assert DutyRun.objects.get().succeeded_at is not None
    assert Heartbeat.objects.exists()  # a cluster with a long duty isn't taken for a frozen one


@pytest.mark.django_db(transaction=True)
def test_a_drain_performs_all_due_duties(monkeypatch):
    done = []
    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(lambda one, _: done.append(one.pk)))
    organizations = factories.OrganizationFactory.create_batch(12)
    for organization in organizations:
        DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    drain.drain(3)
    assert sorted(done) == [organization.pk for organization in organizations]
    assert not DutyRun.objects.due().exists()


def test_the_last_calls_of_a_drain_end_before_the_worker_is_killed():
    last_begun = drain.DRAIN_SECONDS + drain.BESIDE_DUTIES_SECONDS
    rows_end = last_begun + drain.SHORT_SECONDS + drain.LAST_CALLS_SECONDS + deadlines.TOTAL_SECONDS
    assert rows_end + 10 < settings.Q_CLUSTER["timeout"]
    assert settings.Q_CLUSTER["timeout"] < settings.Q_CLUSTER["retry"]


def test_a_duty_ends_long_before_the_drain_stops_beginning_rows_beside_it():
    duty_ends = duty_budget.TURN_SECONDS + deadlines.TOTAL_SECONDS
    assert duty_ends * 2 < drain.BESIDE_DUTIES_SECONDS
    assert duty_ends < DUTY_LEASE.total_seconds()


@pytest.mark.django_db(transaction=True)
def test_a_row_that_comes_while_a_drain_waits_is_taken_up_without_a_look_by_the_clock(
    organization, request_stop, monkeypatch
):
    """The drain would look again after an hour; it ends by the stop that the step requests."""

    def perform(effect, _):
        effect.finish()
        request_stop()

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(drain, "LOOK_SECONDS", 3600.0)
    monkeypatch.setattr(notify, "_next_notification", 0.0)
    draining = in_thread(drain.drain, 60)
    time.sleep(0.5)
    effect = factories.EffectFactory.create(organization=organization)
    notify.notify_workers()
    draining.join(30)
    effect.refresh_from_db()
    assert effect.state == "done"


@pytest.mark.django_db(transaction=True)
def test_deliveries_that_come_together_while_nothing_waits_are_all_taken_up(
    organization, request_stop, monkeypatch
):
    """On PostgreSQL the first is claimed without a look; the others are found by the look after it."""
    decided = []

    def decide(delivery, _):
        delivery.release(due_at=None)
        decided.append(delivery.pk)
        if len(decided) == 5:
            request_stop()

    monkeypatch.setattr(worker, "decide", decide)
    monkeypatch.setattr(drain, "LOOK_SECONDS", 3600.0)
    monkeypatch.setattr(notify, "_next_notification", 0.0)
    draining = in_thread(drain.drain, 60)
    time.sleep(0.5)
    with transaction.atomic():
        deliveries = factories.DeliveryFactory.create_batch(5, organization=organization)
        notify.notify_workers()
    draining.join(30)
    assert sorted(decided) == [delivery.pk for delivery in deliveries]


@pytest.mark.django_db(transaction=True)
def test_a_row_is_taken_up_when_its_time_has_come(organization, request_stop, monkeypatch):
    def perform(effect, _):
        effect.finish()
        request_stop()

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(drain, "LOOK_SECONDS", 3600.0)
    effect = factories.EffectFactory.create(organization=organization)
    Effect.objects.update(due_at=Now() + timedelta(seconds=1))
    drain.drain(30)
    effect.refresh_from_db()
    assert effect.state == "done"


@pytest.mark.django_db(transaction=True)
def test_no_more_rows_are_held_than_can_be_worked_at_once(organization, request_stop, monkeypatch):
    held = []

    def perform(effect, _):
        time.sleep(0.2)
        held.append(Effect.objects.filter(leased_until__isnull=False).count())
        effect.finish()
        if len(held) == 6:
            request_stop()

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(settings, "DRAIN_THREADS", 2)
    monkeypatch.setattr(drain, "LOOK_SECONDS", 3600.0)
    factories.EffectFactory.create_batch(6, organization=organization)
    drain.drain(30)
    assert len(held) == 6
    assert max(held) == 2


def in_thread(function, *arguments) -> threading.Thread:
    def run():
        try:
            function(*arguments)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
