"""The broker wakes the workers each second and has the portal's duties looked at; while Redis is away too."""

import socket

import pytest
from django.urls import reverse
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.signing import SignedPackage

from integrations.queue import brokers, task_names
from integrations.queue.brokers import WakeUpBroker


@pytest.fixture
def silent_redis():
    """The address of a Redis that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture(params=["refused", "silent"])
def unreachable_redis(request, silent_redis, settings) -> None:
    """A Redis that refuses connections, or accepts them and never answers."""
    settings.REDIS_URL = "redis://127.0.0.1:9/0" if request.param == "refused" else silent_redis
    settings.REDIS_OPTIONS = settings.REDIS_OPTIONS | {"socket_timeout": 0.3}


def functions_called(broker: WakeUpBroker) -> list[str]:
    return [SignedPackage.loads(package)["func"] for _, package in broker.dequeue() or []]


def test_each_second_a_drain_begins_and_each_half_minute_the_clock_is_looked_at(monkeypatch):
    seconds = [100.0]
    pauses: list[float] = []
    monkeypatch.setattr("integrations.queue.brokers.time.monotonic", lambda: seconds[0])
    monkeypatch.setattr("integrations.queue.brokers.time.sleep", pauses.append)
    broker = WakeUpBroker()
    assert functions_called(broker) == [task_names.DRAIN, task_names.PERFORM_PORTAL_DUTIES]
    assert functions_called(broker) == []
    assert pauses == [brokers.PAUSE_SECONDS]
    seconds[0] += 1.1
    assert functions_called(broker) == [task_names.DRAIN]
    seconds[0] += 30.0
    assert functions_called(broker) == [task_names.DRAIN, task_names.PERFORM_PORTAL_DUTIES]


@pytest.mark.parametrize("name", [task_names.DRAIN, task_names.PERFORM_PORTAL_DUTIES])
def test_what_the_broker_has_called_is_there(name):
    task = SignedPackage.loads(brokers.task(name))
    assert callable(import_string(task["func"]))
    assert (task["args"], task["kwargs"]) == ((), {})


def test_nothing_can_be_enqueued():
    with pytest.raises(TypeError, match="write a row"):
        get_broker().enqueue("task")


def test_the_work_probe_fails_and_the_readiness_probe_does_not_when_redis_is_unreachable(
    client, db, unreachable_redis
):
    assert functions_called(WakeUpBroker()) != []
    answer = client.get(reverse("work"))
    assert answer.status_code == 503
    assert answer.json()["parts"]["broker"] == "no answer"
    assert client.get(reverse("ready")).status_code == 200
