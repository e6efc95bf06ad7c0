"""Rows are the memory and the queue is a doorbell."""

import time
from datetime import timedelta
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.models import Effect, Heartbeat
from integrations.queue import liveness, notify
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_after_the_commit_and_not_after_a_rollback(queued_tasks):
    with transaction.atomic():
        notify.notify_workers()
        assert queued_tasks == []
    assert queued_tasks == ["integrations.queue.worker.drain"]
    time.sleep(notify.NOTIFY_EVERY_SECONDS * 1.5)
    with transaction.atomic():
        notify.notify_workers()
        transaction.set_rollback(True)
    assert len(queued_tasks) == 1


def test_bells_in_quick_succession_are_one(db, queued_tasks):
    for _ in range(5):
        notify._notify()
    assert len(queued_tasks) == 1


def test_a_broken_bell_costs_nothing(db, monkeypatch):
    monkeypatch.setattr(notify, "_next_notification", 0.0)
    monkeypatch.setattr(notify, "async_task", mock.Mock(side_effect=ConnectionError("no broker")))
    notify._notify()


def test_the_supervisor_rings_for_what_is_due(db, queued_tasks):
    Heartbeat.beat(liveness.DRAIN)
    notify.notify_if_due()
    assert queued_tasks == []
    factories.EffectFactory(due_at=timezone.now() - timedelta(seconds=1))
    notify.notify_if_due()
    assert len(queued_tasks) == 1


def test_the_supervisor_does_not_flood_a_queue_that_nobody_hears(db, queued_tasks, settings):
    factories.EffectFactory(due_at=timezone.now() - timedelta(seconds=1))
    with mock.patch.object(notify, "_broker", return_value=mock.Mock(queue_size=lambda: 10_000)):
        notify.notify_if_due()
    assert queued_tasks == []


def test_stalled_means_due_for_a_while_and_no_progress(db):
    assert not liveness.is_stalled()
    effect = factories.EffectFactory(due_at=timezone.now() - timedelta(minutes=1))
    assert liveness.is_stalled()
    assert 50 < liveness.oldest_due_seconds() < 70
    Heartbeat.beat(liveness.DRAIN)
    assert not liveness.is_stalled()
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=1))
    effect.lease()
    assert not liveness.is_stalled()
    assert liveness.oldest_due_seconds() == 0.0


def test_what_a_killed_worker_held_is_no_sign_of_a_stall_the_moment_its_lease_ends(db):
    Heartbeat.beat(liveness.DRAIN)
    Heartbeat.objects.update(at=timezone.now() - liveness.QUIET_AFTER)
    held = factories.EffectFactory(due_at=timezone.now() - timedelta(minutes=1))
    Effect.objects.update(leased_until=timezone.now() - timedelta(seconds=1), lease_owner="killed")
    assert Effect.objects.due().get() == held
    assert not liveness.is_stalled()
    Effect.objects.update(leased_until=timezone.now() - liveness.STALLED_AFTER - timedelta(seconds=1))
    assert liveness.is_stalled()


def test_a_cluster_that_does_not_hear_the_bell_at_rest_is_replaced_before_work_comes(db, queued_tasks):
    Heartbeat.beat(liveness.DRAIN)
    Heartbeat.objects.update(at=timezone.now() - liveness.QUIET_AFTER - timedelta(seconds=1))
    notify.notify_if_due()
    assert len(queued_tasks) == 1
    assert not liveness.must_be_replaced()
    Heartbeat.objects.update(at=timezone.now() - liveness.UNRESPONSIVE_AFTER - timedelta(seconds=1))
    assert liveness.must_be_replaced()
    assert not liveness.is_stalled()


def test_the_lists_are_asked_for_after_the_commit_and_a_lost_request_costs_nothing(
    organization, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(notify, "async_task", lambda *args, **_: sent.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        notify.request_catalog_refresh(organization)
        assert sent == []
    assert sent == [("integrations.queue.duties.refresh_catalog", organization.pk)]

    def lose(*_, **__):
        raise ConnectionError("no broker")

    monkeypatch.setattr(notify, "async_task", lose)
    with django_capture_on_commit_callbacks(execute=True):
        notify.request_catalog_refresh(organization)
