"""The queue on PostgreSQL without Redis: tasks come as notifications, and an outage of the database ends nothing."""

from contextlib import closing

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


def test_tasks_come_again_after_the_server_has_ended_the_connection(monkeypatch, caplog):
    monkeypatch.setattr(broker, "WAIT_SECONDS", 0.1)
    own = NotificationBroker("a-node")
    own.dequeue()
    end_connection()
    assert own.dequeue() == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    own.dequeue()
    end_connection()
    with pytest.raises(OperationalError):
        own.enqueue("lost")
    own.dequeue()
    own.enqueue("task")
    assert own.dequeue() == [(None, "task")]


def end_connection() -> None:
    """End the test's connection to the database, as a restart of the server does."""
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
