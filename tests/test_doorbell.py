"""Rows are the memory and the queue is a doorbell."""

import time
from datetime import timedelta
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone

from integrations import doorbell
from integrations.models import Effect, Heartbeat
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_after_the_commit_and_not_after_a_rollback(bells):
    with transaction.atomic():
        doorbell.ring()
        assert bells == []
    assert bells == ["integrations.tasks.drain"]
    time.sleep(doorbell.RING_EVERY_SECONDS * 1.5)
    with transaction.atomic():
        doorbell.ring()
        transaction.set_rollback(True)
    assert len(bells) == 1


def test_bells_in_quick_succession_are_one(db, bells):
    for _ in range(5):
        doorbell._ring()
    assert len(bells) == 1


def test_a_broken_bell_costs_nothing(db, monkeypatch):
    monkeypatch.setattr(doorbell, "_next_ring", 0.0)
    monkeypatch.setattr(doorbell, "async_task", mock.Mock(side_effect=ConnectionError("no broker")))
    doorbell._ring()


def test_the_supervisor_rings_for_what_is_due(db, bells):
    Heartbeat.beat(doorbell.DRAIN)
    doorbell.ring_if_due()
    assert bells == []
    factories.EffectFactory(due_at=timezone.now() - timedelta(seconds=1))
    doorbell.ring_if_due()
    assert len(bells) == 1


def test_the_supervisor_does_not_flood_a_queue_that_nobody_hears(db, bells, settings):
    factories.EffectFactory(due_at=timezone.now() - timedelta(seconds=1))
    with mock.patch.object(doorbell, "_broker", return_value=mock.Mock(queue_size=lambda: 10_000)):
        doorbell.ring_if_due()
    assert bells == []


def test_stalled_means_due_for_a_while_and_no_progress(db):
    assert not doorbell.is_stalled()
    effect = factories.EffectFactory(due_at=timezone.now() - timedelta(minutes=1))
    assert doorbell.is_stalled()
    assert 50 < doorbell.oldest_due_seconds() < 70
    Heartbeat.beat(doorbell.DRAIN)
    assert not doorbell.is_stalled()
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=1))
    effect.lease()
    assert not doorbell.is_stalled()
    assert doorbell.oldest_due_seconds() == 0.0


def test_what_a_killed_worker_held_is_no_sign_of_a_stall_the_moment_its_lease_ends(db):
    Heartbeat.beat(doorbell.DRAIN)
    Heartbeat.objects.update(at=timezone.now() - doorbell.QUIET_AFTER)
    held = factories.EffectFactory(due_at=timezone.now() - timedelta(minutes=1))
    Effect.objects.update(leased_until=timezone.now() - timedelta(seconds=1), lease_owner="killed")
    assert Effect.objects.due().get() == held
    assert not doorbell.is_stalled()
    Effect.objects.update(leased_until=timezone.now() - doorbell.STALLED_AFTER - timedelta(seconds=1))
    assert doorbell.is_stalled()


def test_a_cluster_that_does_not_hear_the_bell_at_rest_is_replaced_before_work_comes(db, bells):
    Heartbeat.beat(doorbell.DRAIN)
    Heartbeat.objects.update(at=timezone.now() - doorbell.QUIET_AFTER - timedelta(seconds=1))
    doorbell.ring_if_due()
    assert len(bells) == 1
    assert not doorbell.must_be_replaced()
    Heartbeat.objects.update(at=timezone.now() - doorbell.DEAF_AFTER - timedelta(seconds=1))
    assert doorbell.must_be_replaced()
    assert not doorbell.is_stalled()


def test_the_lists_are_asked_for_after_the_commit_and_a_lost_request_costs_nothing(
    organization, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(doorbell, "async_task", lambda *args, **_: sent.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        doorbell.ask_for_lists(organization)
        assert sent == []
    assert sent == [("integrations.upkeep.refresh_lists", organization.pk)]

    def lose(*_, **__):
        raise ConnectionError("no broker")

    monkeypatch.setattr(doorbell, "async_task", lose)
    with django_capture_on_commit_callbacks(execute=True):
        doorbell.ask_for_lists(organization)
