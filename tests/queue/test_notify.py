"""Notify the workers after the commit; a failed notification raises nothing."""

import time
from datetime import timedelta
from unittest import mock

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from integrations.models import Duty, DutyRun
from integrations.queue import notify, wake_ups
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_workers_are_notified_after_the_commit_and_not_after_a_rollback(notifications):
    with transaction.atomic():
        notify.notify_workers()
        assert notifications == []
    assert notifications == ["notified"]
    time.sleep(notify.NOTIFY_EVERY_SECONDS * 1.5)
    with transaction.atomic():
        notify.notify_workers()
        transaction.set_rollback(True)
    assert len(notifications) == 1


def test_a_few_notifications_in_quick_succession_are_sent_and_then_one_now_and_then(
    db, notifications, monkeypatch
):
    clock = [100.0]
    monkeypatch.setattr("integrations.queue.notify.time.monotonic", lambda: clock[0])
    for _ in range(20):
        notify._notify()
    assert len(notifications) == pytest.approx(notify.AT_ONCE, abs=1)
    for milliseconds in range(100):
        clock[0] = 100.0 + milliseconds / 1000
        notify._notify()
    assert len(notifications) == pytest.approx(notify.AT_ONCE + 10, abs=2)


def test_a_failed_notification_raises_nothing(db, monkeypatch):
    monkeypatch.setattr(notify, "_next_notification", 0.0)
    monkeypatch.setattr(wake_ups, "notify", mock.Mock(side_effect=OperationalError("the server closed")))
    notify._notify()


def test_a_requested_refresh_of_the_lists_is_done_before_what_is_done_by_the_clock(
    organization, notifications
):
    waiting = DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    DutyRun.objects.filter(pk=waiting.pk).update(due_at=timezone.now() - timedelta(hours=1))
    notify.request_catalog_refresh(organization)
    claimed = [factories.claimed(DutyRun, "one").duty for _ in range(3)]
    assert claimed == [Duty.REFRESH_LEVER_LISTS, Duty.REFRESH_ASSESSMENTS, Duty.SWEEP]
