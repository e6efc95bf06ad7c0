"""Work due rows: in which order, until when, and what a worker survives."""

import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.models.functions import Now

from integrations.http import deadlines
from integrations.models import (
    Delivery,
    Duty,
    DutyRun,
    Effect,
    Heartbeat,
)
from integrations.models.duty_run import DUTY_LEASE
from integrations.queue import duties, worker
from tests import factories


def test_effects_and_deliveries_take_turns(db, monkeypatch):
    organization = factories.OrganizationFactory()
    done = []

    def perform(effect):
        done.append("effect")
        effect.finish()

    def decide(delivery):
        done.append("delivery")
        delivery.release(due_at=None)

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(worker, "decide", decide)
    for number in range(3):
        factories.EffectFactory(organization=organization, opportunity_id=f"o{number}")
        factories.DeliveryFactory(organization=organization)
    assert worker.work() == 6
    assert set(done[:2]) == {"effect", "delivery"}


@pytest.mark.django_db(transaction=True)
def test_draining_ends_when_nothing_is_due(organization, monkeypatch):
    for number in range(12):
        factories.EffectFactory(organization=organization, opportunity_id=f"o{number}")
    monkeypatch.setattr(worker, "perform_effect", lambda row: row.finish())
    started = time.monotonic()
    worker.drain(20)
    assert time.monotonic() - started < 10
    assert set(Effect.objects.values_list("state", flat=True)) == {"done"}
    assert Heartbeat.is_fresh(timedelta(seconds=15))


@pytest.mark.django_db(transaction=True)
def test_a_drain_ends_without_an_error_when_the_database_goes_away(organization, monkeypatch):
    factories.EffectFactory(organization=organization)

    def lose_database(_):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(worker, "perform_effect", lose_database)
    worker.drain(1)
    effect = Effect.objects.get()
    assert (effect.state, effect.attempts) == ("due", 1)
    assert effect.leased_until is not None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_claimed_when_a_stop_was_requested(organization, request_stop, monkeypatch):
    performed = []

    def perform(effect):
        performed.append(effect.pk)
        effect.finish()
        request_stop()

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(settings, "DRAIN_THREADS", 1)
    for _ in range(3):
        factories.EffectFactory.create(organization=organization)
    worker.drain(20)
    worker.drain(20)
    assert len(performed) == 1
    assert Effect.objects.filter(attempts=0).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_drain_returns_after_the_steps_in_flight_when_a_stop_was_requested(
    organization, request_stop, monkeypatch
):
    def perform(effect):
        request_stop()
        time.sleep(0.3)
        effect.finish()

    monkeypatch.setattr(worker, "perform_effect", perform)
    effect = factories.EffectFactory.create(organization=organization)
    worker.drain(20)
    effect.refresh_from_db()
    assert effect.state == "done"


@pytest.mark.django_db(transaction=True)
def test_rows_are_worked_while_a_long_duty_outlasts_the_drain(organization, monkeypatch):
    effect = factories.EffectFactory.create(organization=organization, due_at=None, state="done")
    worked, was_worked = threading.Event(), []

    def perform(row):
        row.finish()
        worked.set()

    def long_duty(_):
        Heartbeat.objects.all().delete()
        Effect.objects.filter(pk=effect.pk).update(state="due", due_at=Now())
        was_worked.append(worked.wait(20))

    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(long_duty))
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    worker.drain(0.1)
    assert was_worked == [True]
    assert Effect.objects.get().state == "done"
    assert DutyRun.objects.get().succeeded_at is not None
    assert Heartbeat.objects.exists()  # a cluster with a long duty isn't taken for a frozen one


@pytest.mark.django_db(transaction=True)
def test_a_drain_performs_all_due_duties_and_ends(monkeypatch):
    done = []
    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(lambda one: done.append(one.pk)))
    organizations = factories.OrganizationFactory.create_batch(12)
    for organization in organizations:
        DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    worker.drain(20)
    assert sorted(done) == [organization.pk for organization in organizations]
    assert not DutyRun.objects.due().exists()


def test_no_duty_is_claimed_when_a_stop_was_requested(organization, request_stop, monkeypatch):
    done = []

    def stop(one):
        done.append(one.pk)
        request_stop()

    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(stop))
    for one in (organization, factories.OrganizationFactory.create()):
        DutyRun.objects.create(organization=one, duty=Duty.SWEEP)
    assert worker.perform_duties() == 1
    assert done == [organization.pk]


def test_a_thread_that_yields_to_rows_claims_no_duty_while_they_wait(organization, monkeypatch):
    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(lambda _: None))
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    rows_wait = threading.Event()
    rows_wait.set()
    assert worker.perform_duties(yields_to=rows_wait) == 0
    assert worker.perform_duties() == 1


def test_the_last_calls_of_a_drain_end_before_the_worker_is_killed():
    duties_end = worker.DRAIN_SECONDS + worker.LAST_CALLS_OF_DUTIES_SECONDS + deadlines.TOTAL_SECONDS
    rows_end = duties_end + worker.SHORT_SECONDS + worker.LAST_CALLS_SECONDS + deadlines.TOTAL_SECONDS
    assert rows_end + 20 < settings.Q_CLUSTER["timeout"]
    assert settings.Q_CLUSTER["timeout"] < settings.Q_CLUSTER["retry"]
    assert duties_end < DUTY_LEASE.total_seconds()


@pytest.mark.parametrize("make", [factories.EffectFactory, factories.DeliveryFactory])
def test_the_least_served_organization_is_claimed_first(make, organization):
    for _ in range(5):
        make.create(organization=organization)
    other = make.create(organization=factories.OrganizationFactory.create())
    model = type(other)
    first = factories.claimed(model, "one")
    second = factories.claimed(model, "two")
    assert {first.organization_id, second.organization_id} == {organization.pk, other.organization_id}


def test_effects_do_not_keep_deliveries_waiting(organization):
    for _ in range(5):
        factories.EffectFactory.create(organization=organization)
    factories.DeliveryFactory.create(organization=organization)
    worker.work(deadline=None, most=2)
    assert Delivery.objects.get().verdict
    assert Effect.objects.filter(attempts=0, last_error="").count() == 4
