"""A node that may open more connections than PostgreSQL allows is told so before it serves."""

import pytest

from portal.process import database_waits


@pytest.fixture
def on_postgresql(monkeypatch):
    monkeypatch.setattr("django.db.connection.vendor", "postgresql", raising=False)


def test_each_thread_of_each_process_has_a_connection(settings):
    settings.WEB_WORKERS, settings.Q_WORKERS = 2, 3
    settings.STEP_THREADS, settings.DUTY_THREADS = 6, 5
    assert database_waits.most_connections() == 2 * 9 + 3 * 12 + 4


@pytest.mark.parametrize(("allowed", "warned"), [(47, True), (48, False)])
def test_a_node_is_warned_when_it_may_open_more_than_postgresql_allows(
    settings, monkeypatch, on_postgresql, allowed, warned
):
    settings.WEB_WORKERS = settings.Q_WORKERS = 2
    settings.STEP_THREADS = settings.DUTY_THREADS = 6
    monkeypatch.setattr(database_waits, "_allowed_connections", lambda: allowed)
    found = database_waits.check_connections(None)
    assert [message.id for message in found] == (["portal.W002"] if warned else [])
    assert all("up to 48" in message.msg and "allows 47" in message.msg for message in found)


def test_sqlite_has_no_connections_to_count(settings):
    settings.WEB_WORKERS = 1000
    assert database_waits.check_connections(None) == []
