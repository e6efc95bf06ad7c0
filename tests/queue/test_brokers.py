"""Redis may be lost at any time: the bell fails soon and costs nothing, and the workers look by themselves."""

import socket
import time
from unittest import mock

import pytest
from django.db import OperationalError
from django.urls import reverse
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.signing import SignedPackage

from integrations.queue import brokers, notify, task_names
from integrations.queue.brokers import DatabaseBroker, RedisBroker
from portal.devtools import test_suites


@pytest.fixture
def hole():
    """The address of a Redis whose machine has stopped: it takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture(params=["refused", "silent"])
def away(request, hole, monkeypatch):
    """Redis is away, in either way."""
    monkeypatch.setattr(Conf, "REDIS", "redis://127.0.0.1:9/0" if request.param == "refused" else hole)
    monkeypatch.setattr(brokers, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(brokers, "LOCAL_WAKE_UP_SECONDS", 0.01)
    return RedisBroker("test")


def test_the_portal_rings_this_bell_where_there_is_a_redis(monkeypatch, away):
    monkeypatch.setattr(Conf, "BROKER_CLASS", "integrations.queue.brokers.RedisBroker")
    assert isinstance(get_broker(), RedisBroker)


def test_a_web_request_waits_for_a_dead_redis_once_and_not_long(db, away, monkeypatch):
    monkeypatch.setattr(notify, "_next_notification", 0.0)
    monkeypatch.setattr(notify, "_broker", lambda: away)
    began = time.monotonic()
    for _ in range(20):
        notify._notify()
    assert time.monotonic() - began < 1.5
    assert notify._next_notification > time.monotonic() + notify.NOTIFY_EVERY_SECONDS


def test_no_connection_waits_longer_than_seconds(monkeypatch):
    monkeypatch.setattr(Conf, "REDIS", "redis://127.0.0.1:9/0")
    options = RedisBroker.get_connection().connection_pool.connection_kwargs
    assert options["socket_connect_timeout"] <= 1
    assert 1 < options["socket_timeout"] <= 3  # an empty queue is waited on for a second


def test_while_redis_is_away_the_workers_are_told_to_look_by_themselves(away):
    for _ in range(2):
        ((ack, pack),) = away.dequeue() or [(None, "")]
        assert ack is None
        task = SignedPackage.loads(pack)
        assert (task["func"], task["args"], task["kwargs"]) == ("integrations.queue.worker.drain", (), {})


def test_the_fetching_process_goes_on(away, monkeypatch):
    assert away.ping() is False
    away.set_stat("key", "value", 3)


def test_the_probe_says_that_redis_is_away(client, db, away, monkeypatch):
    monkeypatch.setattr("portal.health.get_broker", lambda: away)
    answer = client.get(reverse("ready"))
    assert answer.status_code == 503
    assert answer.json()["parts"]["broker"] == "no answer"


def test_the_supervisor_looks_on_without_redis(db, away, monkeypatch):
    monkeypatch.setattr(notify, "_next_notification", 0.0)
    monkeypatch.setattr(notify, "_broker", lambda: away)
    began = time.monotonic()
    for _ in range(3):
        notify.notify_if_due()
    assert time.monotonic() - began < 3


def test_while_the_database_is_away_fetching_goes_on(db, monkeypatch):
    monkeypatch.setattr(brokers, "LOCAL_WAKE_UP_SECONDS", 0.0)
    monkeypatch.setattr(
        "integrations.queue.brokers.connections.close_all", lambda: None
    )  # the test's own is one of them
    bell = DatabaseBroker("test")
    with mock.patch("django_q.brokers.orm.ORM.dequeue", side_effect=OperationalError("the server closed")):
        ((ack, pack),) = bell.dequeue() or [(None, "")]
    assert (ack, SignedPackage.loads(pack)["func"]) == (None, "integrations.queue.worker.drain")
    assert bell.dequeue() is None
    bell.enqueue(brokers.wake_up_task())
    ((ack, pack),) = bell.dequeue() or [(None, "")]
    assert ack is not None


@pytest.mark.redis
def test_with_redis_a_bell_is_heard_once(monkeypatch):
    monkeypatch.setattr(Conf, "REDIS", test_suites.REDIS_URL)
    bell = RedisBroker(f"test-{time.time()}")
    assert bell.ping() is True
    bell.enqueue(brokers.wake_up_task())
    ((ack, pack),) = bell.dequeue() or [(None, "")]
    assert ack is None
    assert SignedPackage.loads(pack)["func"] == task_names.DRAIN
    assert bell.dequeue() is None
