"""Checks of what is around the portal: Redis, and how many connections PostgreSQL allows."""

from urllib.parse import urlsplit

import pytest

from portal import checks
from portal.devtools import test_suites


@pytest.mark.redis
@pytest.mark.parametrize("change", [{"path": "/99"}, {"netloc": "nobody:wrong@{0.netloc}"}])
def test_a_redis_that_refuses_the_portal_is_an_error(settings, change):
    address = urlsplit(test_suites.REDIS_URL)
    settings.REDIS_URL = address._replace(
        **{key: value.format(address) for key, value in change.items()}
    ).geturl()
    [answer] = checks.check_redis(None)
    assert answer.id == "portal.E014"
    assert "REDIS_URL" in str(answer.hint)
    assert "wrong" not in answer.msg, "no password is repeated"


@pytest.fixture
def on_postgresql(monkeypatch):
    monkeypatch.setattr("django.db.connection.vendor", "postgresql", raising=False)


def test_each_thread_of_each_process_has_a_connection(settings):
    settings.WEB_WORKERS, settings.Q_WORKERS = 2, 3
    settings.STEP_THREADS, settings.DUTY_THREADS = 6, 5
    assert checks.most_connections() == 2 * 8 + 3 * 12 + 4


@pytest.mark.parametrize(("allowed", "warned"), [(45, True), (46, False)])
def test_a_node_is_warned_when_it_may_open_more_than_postgresql_allows(
    settings, monkeypatch, on_postgresql, allowed, warned
):
    settings.WEB_WORKERS = settings.Q_WORKERS = 2
    settings.STEP_THREADS = settings.DUTY_THREADS = 6
    monkeypatch.setattr(checks, "_allowed_connections", lambda: allowed)
    found = checks.check_connections(None)
    assert [message.id for message in found] == (["portal.W002"] if warned else [])
    assert all("up to 46" in message.msg and "allows 45" in message.msg for message in found)


def test_sqlite_has_no_connections_to_count(settings):
    settings.WEB_WORKERS = 1000
    assert checks.check_connections(None) == []
