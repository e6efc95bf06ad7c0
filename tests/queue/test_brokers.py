"""While Redis or the database is unreachable, notifying fails soon and the workers are woken locally."""

import socket
import time
from unittest import mock

import pytest
from django.db import OperationalError
from django.urls import reverse
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.signing import SignedPackage

from integrations.queue import brokers, task_names
from integrations.queue.brokers import DatabaseBroker, RedisBroker
from portal.devtools import test_suites


@pytest.fixture
def silent_redis():
    """The address of a Redis that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture(params=["refused", "silent"])
def unreachable_broker(request, silent_redis, monkeypatch):
    """A broker whose Redis refuses connections, or accepts them and never answers."""
    monkeypatch.setattr(
        Conf, "REDIS", "redis://127.0.0.1:9/0" if request.param == "refused" else silent_redis
    )
    monkeypatch.setattr(brokers, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(brokers, "LOCAL_WAKE_UP_SECONDS", 0.01)
    return RedisBroker("test")


def test_the_redis_broker_is_used_when_redis_is_configured(monkeypatch, unreachable_broker):
    monkeypatch.setattr(Conf, "BROKER_CLASS", "integrations.queue.brokers.RedisBroker")
    assert isinstance(get_broker(), RedisBroker)


def test_redis_connections_time_out_within_seconds(monkeypatch):
    monkeypatch.setattr(Conf, "REDIS", "redis://127.0.0.1:9/0")
    options = RedisBroker.get_connection().connection_pool.connection_kwargs
    assert options["socket_connect_timeout"] <= 1
    assert 1 < options["socket_timeout"] <= 3  # an empty queue is waited on for a second


def test_a_local_wake_up_is_returned_when_redis_is_unreachable(unreachable_broker):
    for _ in range(2):
        ((ack, pack),) = unreachable_broker.dequeue() or [(None, "")]
        assert ack is None
        task = SignedPackage.loads(pack)
        assert (task["func"], task["args"], task["kwargs"]) == (task_names.DRAIN, (), {})


def test_ping_and_statistics_do_not_raise_when_redis_is_unreachable(unreachable_broker, monkeypatch):
    assert unreachable_broker.ping() is False
    unreachable_broker.set_stat("key", "value", 3)


def test_the_work_probe_fails_and_the_readiness_probe_does_not_when_redis_is_unreachable(
    client, db, unreachable_broker, monkeypatch
):
    monkeypatch.setattr("portal.health.get_broker", lambda: unreachable_broker)
    answer = client.get(reverse("work"))
    assert answer.status_code == 503
    assert answer.json()["parts"]["broker"] == "no answer"
    assert client.get(reverse("ready")).status_code == 200


def test_a_local_wake_up_is_returned_when_the_database_is_unreachable(db, monkeypatch):
    monkeypatch.setattr(brokers, "LOCAL_WAKE_UP_SECONDS", 0.0)
    # the test's own connection is one of those that would be closed
    monkeypatch.setattr("integrations.queue.brokers.connections.close_all", lambda: None)
    broker = DatabaseBroker("test")
    with mock.patch("django_q.brokers.orm.ORM.dequeue", side_effect=OperationalError("the server closed")):
        ((ack, pack),) = broker.dequeue() or [(None, "")]
    assert (ack, SignedPackage.loads(pack)["func"]) == (None, task_names.DRAIN)
    broker.enqueue(brokers.wake_up_task())
    ((ack, pack),) = broker.dequeue() or [(None, "")]
    assert ack is not None


@pytest.mark.redis
def test_a_wake_up_is_dequeued_once_from_redis(monkeypatch):
    monkeypatch.setattr(Conf, "REDIS", test_suites.REDIS_URL)
    broker = RedisBroker(f"test-{time.time()}")
    assert broker.ping() is True
    broker.enqueue(brokers.wake_up_task())
    ((ack, pack),) = broker.dequeue() or [(None, "")]
    assert ack is None
    assert SignedPackage.loads(pack)["func"] == task_names.DRAIN
    assert broker.queue_size() == 0


def test_a_cluster_is_woken_when_the_queue_has_been_empty_for_a_second(db, monkeypatch):
    seconds = [100.0]
    monkeypatch.setattr("integrations.queue.brokers.time.monotonic", lambda: seconds[0])
    broker = DatabaseBroker("test")
    broker.enqueue(brokers.wake_up_task())
    ((ack, _),) = broker.dequeue() or [(None, "")]
    assert ack is not None
    broker.purge_queue()
    assert broker.dequeue() is None
    seconds[0] += 1.1
    ((ack, pack),) = broker.dequeue() or [(1, "")]
    assert (ack, SignedPackage.loads(pack)["func"]) == (None, task_names.DRAIN)
    assert broker.dequeue() is None
