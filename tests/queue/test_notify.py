"""Notify the workers after the commit; a failed notification raises nothing."""

import time
from unittest import mock

import pytest
from django.db import transaction

from integrations.queue import notify


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
