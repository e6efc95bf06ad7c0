"""A task is enqueued after the commit, now and then; a queue that is away stops nobody; stalled workers are told."""

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from integrations.outbox.models.effect import Effect
from integrations.queue import notify
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import Heartbeat
from tests.support import factories


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The monotonic clock of what is enqueued, as its only item."""
    seconds = [100.0]
    monkeypatch.setattr(notify, "_next_at", 0.0)
    monkeypatch.setattr("integrations.queue.notify.time.monotonic", lambda: seconds[0])
    return seconds


@pytest.fixture
def orm_broker(db, monkeypatch) -> Iterator[None]:
    """Django-q2's broker in the database, whatever the settings say."""
    monkeypatch.setattr(Conf, "ORM", "default")
    notify.broker.cache_clear()
    yield
    notify.broker.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_a_task_is_enqueued_after_the_commit_and_not_after_a_rollback(notifications, monkeypatch):
    with transaction.atomic():
        notify.notify_workers()
        assert notifications == []
    assert notifications == [notify.WORK]
    monkeypatch.setattr(notify, "_next_at", 0.0)
    with transaction.atomic():
        notify.notify_workers()
        transaction.set_rollback(True)
    assert len(notifications) == 1


def test_the_task_is_there_and_says_nothing_of_anybody(orm_broker, clock):
    notify.enqueue_work()
    task = SignedPackage.loads(OrmQ.objects.get().payload)
    assert callable(import_string(task["func"]))
    assert (task["args"], task["kwargs"]) == ((), {})


def test_a_process_enqueues_at_most_ten_a_second(db, notifications, clock):
    for milliseconds in range(1000):
        clock[0] = 100.0 + milliseconds / 1000
        notify.enqueue_work()
    assert len(notifications) == pytest.approx(10, abs=1)


def test_no_more_tasks_wait_than_the_node_has_workers(orm_broker, clock, settings):
    settings.Q_WORKERS = 2
    for _ in range(5):
        clock[0] += 1.0
        notify.enqueue_work()
    assert OrmQ.objects.count() == 2
    OrmQ.objects.all().delete()
    clock[0] += 1.0
    notify.enqueue_work()
    assert OrmQ.objects.count() == 1


def test_a_queue_that_is_away_raises_nothing_and_is_left_alone_for_a_while(
    db, notifications, clock, monkeypatch
):
    tries = []

    def fail(*_, **__):
        tries.append(clock[0])
        raise DatabaseError("the server closed the connection")

    monkeypatch.setattr(notify, "async_task", fail)
    for _ in range(30):
        assert not notify.enqueue_work()
        clock[0] += 0.1
    assert len(tries) == 2


@pytest.fixture
def silent_redis():
    """The address of a Redis that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture(params=["refused", "silent"])
def unreachable_redis(request, silent_redis, monkeypatch) -> Iterator[None]:
    """A Redis that refuses connections, or accepts them and never answers."""
    address = "redis://127.0.0.1:9/0" if request.param == "refused" else silent_redis
    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr(Conf, "REDIS", f"{address}?socket_timeout=0.1")
    notify.broker.cache_clear()
    yield
    notify.broker.cache_clear()


def test_the_work_probe_fails_and_the_readiness_probe_does_not_when_redis_is_unreachable(
    client, db, unreachable_redis, clock
):
    notify.enqueue_work()
    answer = client.get(reverse("work"))
    assert answer.status_code == 503
    assert answer.json()["parts"]["broker"] != "ok"
    assert client.get(reverse("ready")).status_code == 200


def test_a_requested_refresh_of_the_lists_is_done_before_what_is_done_by_the_clock(
    organization, notifications
):
    waiting = DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    DutyRun.objects.filter(pk=waiting.pk).update(due_at=factories.a_moment_ago())
    notify.request_catalog_refresh(organization)
    claimed = [factories.claimed(DutyRun, "one").duty for _ in range(3)]
    assert claimed == [Duty.REFRESH_LEVER_LISTS, Duty.REFRESH_ASSESSMENTS, Duty.SWEEP]


# whether the workers of a node make progress


@pytest.fixture
def node(settings, db) -> str:
    """The node of this process."""
    settings.NODE = "this-node"
    return settings.NODE


def heartbeats_were(seconds: float) -> None:
    Heartbeat.objects.update(at=Now() - timedelta(seconds=seconds))


def test_workers_are_stalled_when_rows_are_overdue_without_progress(node):
    assert not notify.is_stalled(node)
    effect = factories.EffectFactory.create(due_at=timezone.now() - timedelta(minutes=1))
    assert notify.is_stalled(node)
    assert 50 < notify.oldest_due_seconds() < 70
    Heartbeat.beat()
    assert not notify.is_stalled(node)
    heartbeats_were(60)
    effect.lease()
    assert not notify.is_stalled(node)
    assert notify.oldest_due_seconds() == 0.0


def test_workers_are_not_stalled_when_a_killed_workers_lease_just_ended(node):
    Heartbeat.beat()
    heartbeats_were(60)
    held = factories.EffectFactory.create(due_at=timezone.now() - timedelta(minutes=1))
    Effect.objects.update(leased_until=timezone.now() - timedelta(seconds=1), lease_owner="killed")
    assert Effect.objects.due().get() == held
    assert not notify.is_stalled(node)
    Effect.objects.update(leased_until=timezone.now() - notify.STALLED_AFTER - timedelta(seconds=1))
    assert notify.is_stalled(node)


def test_a_node_is_stalled_when_only_another_one_works(node, settings):
    Heartbeat.beat()
    heartbeats_were(60)
    settings.NODE = "another-node"
    Heartbeat.beat()
    factories.EffectFactory.create(due_at=timezone.now() - timedelta(minutes=1))
    assert notify.is_stalled(node)
    assert not notify.is_stalled("another-node")
