"""Work due rows: in which order, until when, and what a worker survives."""

import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError

from integrations.http import deadlines
from integrations.models import (
    Delivery,
    Effect,
    Heartbeat,
)
from integrations.queue import notify, worker
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
def test_background_draining_stops_before_the_task_times_out(monkeypatch) -> None:
    drains = []
    monkeypatch.setattr(worker, "LAST_STEPS_SECONDS", notify.LONG_TASK_SECONDS - 0.2)
    monkeypatch.setattr(worker, "BACKGROUND_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(worker, "drain", lambda _: drains.append(time.monotonic()))
    with worker.keep_draining():
        started = time.monotonic()
        time.sleep(0.6)
    assert drains
    assert max(drains) - started < 0.4


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
def test_background_draining_ends_when_a_stop_was_requested(request_stop, monkeypatch):
    drains = []

    def drain(_):
        drains.append(1)
        request_stop()

    monkeypatch.setattr(worker, "drain", drain)
    monkeypatch.setattr(worker, "BACKGROUND_PAUSE_SECONDS", 0.01)
    with worker.keep_draining():
        time.sleep(0.2)
    assert drains == [1]


def test_the_last_calls_of_a_drain_and_of_a_long_task_end_before_the_worker_is_killed():
    drain_ends = worker.DRAIN_SECONDS + worker.LAST_CALLS_SECONDS + deadlines.TOTAL_SECONDS
    assert drain_ends + 20 < settings.Q_CLUSTER["timeout"]
    background_ends = drain_ends - worker.DRAIN_SECONDS + worker.BACKGROUND_DRAIN_SECONDS
    assert background_ends < worker.LAST_STEPS_SECONDS
    assert deadlines.TOTAL_SECONDS < worker.LAST_CALL_SECONDS


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
