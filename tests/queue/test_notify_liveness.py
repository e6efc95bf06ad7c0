"""Tell whether the workers of a node make progress."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from integrations.outbox.models.effect import Effect
from integrations.queue import notify
from integrations.queue.models.nodes import Heartbeat
from tests.support import factories

NODE = "this-node"


@pytest.fixture(autouse=True)
def _node(settings, db):
    settings.NODE = NODE


def heartbeats_were(seconds: float) -> None:
    Heartbeat.objects.update(at=Now() - timedelta(seconds=seconds))


def test_workers_are_stalled_when_rows_are_overdue_without_progress():
    assert not notify.is_stalled(NODE)
    effect = factories.EffectFactory.create(due_at=timezone.now() - timedelta(minutes=1))
    assert notify.is_stalled(NODE)
    assert 50 < notify.oldest_due_seconds() < 70
    Heartbeat.beat()
    assert not notify.is_stalled(NODE)
    heartbeats_were(60)
    effect.lease()
    assert not notify.is_stalled(NODE)
    assert notify.oldest_due_seconds() == 0.0


def test_workers_are_not_stalled_when_a_killed_workers_lease_just_ended():
    Heartbeat.beat()
    heartbeats_were(60)
    held = factories.EffectFactory.create(due_at=timezone.now() - timedelta(minutes=1))
    Effect.objects.update(leased_until=timezone.now() - timedelta(seconds=1), lease_owner="killed")
    assert Effect.objects.due().get() == held
    assert not notify.is_stalled(NODE)
    Effect.objects.update(leased_until=timezone.now() - notify.STALLED_AFTER - timedelta(seconds=1))
    assert notify.is_stalled(NODE)


def test_a_node_is_stalled_when_only_another_one_works(settings):
    Heartbeat.beat()
    heartbeats_were(60)
    settings.NODE = "another-node"
    Heartbeat.beat()
    factories.EffectFactory.create(due_at=timezone.now() - timedelta(minutes=1))
    assert notify.is_stalled(NODE)
    assert not notify.is_stalled("another-node")
