"""Notify the workers after the commit; a failed notification raises nothing."""

import time
from datetime import timedelta
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.models import Heartbeat
from integrations.queue import liveness, notify
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_workers_are_notified_after_the_commit_and_not_after_a_rollback(queued_tasks):
    with transaction.atomic():
        notify.notify_workers()
        assert queued_tasks == []
    assert queued_tasks == ["integrations.queue.worker.drain"]
    time.sleep(notify.NOTIFY_EVERY_SECONDS * 1.5)
    with transaction.atomic():
        notify.notify_workers()
        transaction.set_rollback(True)
    assert len(queued_tasks) == 1


def test_notifications_in_quick_succession_are_throttled_to_one(db, queued_tasks):
    for _ in range(5):
        notify._notify()
    assert len(queued_tasks) == 1


def test_a_failed_notification_raises_nothing(db, monkeypatch):
    monkeypatch.setattr(notify, "_next_notification", 0.0)
    monkeypatch.setattr(notify, "async_task", mock.Mock(side_effect=ConnectionError("no broker")))
    notify._notify()


def test_the_supervisor_notifies_workers_when_a_row_is_due(db, queued_tasks):
    Heartbeat.beat(liveness.DRAIN)
    notify.notify_if_due()
    assert queued_tasks == []
    factories.EffectFactory(due_at=timezone.now() - timedelta(seconds=1))
    notify.notify_if_due()
    assert len(queued_tasks) == 1


def test_the_supervisor_adds_no_wake_up_when_the_queue_holds_enough(db, queued_tasks, settings):
    factories.EffectFactory(due_at=timezone.now() - timedelta(seconds=1))
    with mock.patch.object(notify, "_broker", return_value=mock.Mock(queue_size=lambda: 10_000)):
        notify.notify_if_due()
    assert queued_tasks == []


def test_a_catalog_refresh_is_requested_after_the_commit_and_a_failed_request_raises_nothing(
    organization, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(notify, "async_task", lambda *args, **_: sent.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        notify.request_catalog_refresh(organization)
        assert sent == []
    assert sent == [("integrations.queue.duties.refresh_catalog", organization.pk)]

    def fail(*_, **__):
        raise ConnectionError("no broker")

    monkeypatch.setattr(notify, "async_task", fail)
    with django_capture_on_commit_callbacks(execute=True):
        notify.request_catalog_refresh(organization)
