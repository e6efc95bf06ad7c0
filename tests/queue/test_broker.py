"""The queue on PostgreSQL without Redis: tasks come as notifications, and an outage of the database ends nothing."""

import pytest
from django.db import OperationalError, connection

from integrations.queue import broker
from integrations.queue.broker import NotificationBroker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="notifications are PostgreSQL's"),
]


def test_tasks_that_come_together_are_taken_at_most_one_for_each_worker(monkeypatch, settings):
    monkeypatch.setattr(broker, "WAIT_SECONDS", 0.2)
    settings.Q_WORKERS = 2
    own, other = NotificationBroker("a-node-" + "x" * 100), NotificationBroker("another-node")
    assert own.dequeue() == []
    for number in range(4):
        own.enqueue(f"task {number}")
        other.enqueue("of another node")
    assert own.dequeue() == [(None, "task 2"), (None, "task 3")]
    assert own.dequeue() == []


def test_an_outage_is_a_warning_and_tasks_come_again_when_it_is_over(monkeypatch, caplog):
    monkeypatch.setattr(broker, "WAIT_SECONDS", 0.1)
    own = NotificationBroker("a-node")
    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", lambda: (_ for _ in ()).throw(OperationalError("away")))
        assert own.dequeue() == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    own.dequeue()
    own.enqueue("task")
    assert own.dequeue() == [(None, "task")]
