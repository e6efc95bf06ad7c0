"""Tell whether the workers make progress."""

from datetime import timedelta

from django.utils import timezone

from integrations.models import Effect, Heartbeat
from integrations.queue import liveness, notify
from tests import factories


def test_workers_are_stalled_when_rows_are_overdue_without_progress(db):
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


def test_workers_are_not_stalled_when_a_killed_workers_lease_just_ended(db):
    Heartbeat.beat(liveness.DRAIN)
    Heartbeat.objects.update(at=timezone.now() - liveness.QUIET_AFTER)
    held = factories.EffectFactory(due_at=timezone.now() - timedelta(minutes=1))
    Effect.objects.update(leased_until=timezone.now() - timedelta(seconds=1), lease_owner="killed")
    assert Effect.objects.due().get() == held
    assert not liveness.is_stalled()
    Effect.objects.update(leased_until=timezone.now() - liveness.STALLED_AFTER - timedelta(seconds=1))
    assert liveness.is_stalled()


def test_an_idle_cluster_is_replaced_when_it_ignores_wake_ups(db, queued_tasks):
    Heartbeat.beat(liveness.DRAIN)
    Heartbeat.objects.update(at=timezone.now() - liveness.QUIET_AFTER - timedelta(seconds=1))
    notify.notify_if_due()
    assert len(queued_tasks) == 1
    assert not liveness.must_be_replaced()
    Heartbeat.objects.update(at=timezone.now() - liveness.UNRESPONSIVE_AFTER - timedelta(seconds=1))
    assert liveness.must_be_replaced()
    assert not liveness.is_stalled()
