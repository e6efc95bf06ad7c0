"""A database that falls silent: accepted connections on which no answer comes, as behind a proxy or a dead host."""

import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import environ
import pytest
import requests
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from portal.devtools import test_suites
from portal.devtools.chaos.processes import Proxy
from portal.devtools.processes import free_port
from portal.middleware import WEBHOOK_SECONDS
from portal.process import database_waits
from portal.process.whole_requests import THREADS
from tests.portal.process.test_web_server import WebServer

pytestmark = pytest.mark.postgres


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    parts = urlsplit(test_suites.DATABASE_URL)
    with Proxy(free_port(), (parts.hostname or "127.0.0.1", parts.port or 5432)) as one:
        yield one


def address(proxy: Proxy) -> str:
    parts = urlsplit(test_suites.DATABASE_URL)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}").geturl()


@pytest.fixture
def connection(db, proxy):
    configuration = environ.Env.db_url_config(address(proxy)) | {
        "ENGINE": "portal.process.postgresql_backend",
        "OPTIONS": {"server_side_binding": True, "connect_timeout": 3},
    }
    one = ConnectionHandler({"default": configuration})["default"]
    yield one
    proxy.is_silent = False
    one.close()


def ask(connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_statement_ends_in_time_and_its_connection_with_it(connection, proxy):
    ask(connection)
    proxy.is_silent = True
    with database_waits.at_most(0.2), pytest.raises(OperationalError, match="didn't answer in time"):
        ask(connection)
    assert connection.connection.closed


def test_a_transaction_ends_in_time_too(connection, proxy):
    ask(connection)
    connection.set_autocommit(False)
    ask(connection)
    proxy.is_silent = True
    with database_waits.at_most(0.2), pytest.raises(OperationalError, match="didn't answer in time"):
        connection.commit()


def test_connecting_ends_in_time(connection, proxy):
    proxy.is_silent = True
    with database_waits.at_most(0.2), pytest.raises(OperationalError, match="can't be reached"):
        ask(connection)


@pytest.mark.slow
def test_with_every_thread_stuck_liveness_is_answered_readiness_fails_soon_and_webhooks_get_503(proxy):
    server = WebServer("portal.settings", DATABASE_URL=address(proxy), WEB_WORKERS="1", PORTAL_URL="")
    base = f"http://127.0.0.1:{server.port}"
    try:
        requests.post(f"{base}/webhooks/lever/some-key/", json={}, timeout=30)
        requests.get(f"{base}/healthz/ready", timeout=30)
        proxy.is_silent = True
        answers: list[tuple[int, float]] = []

        def send() -> None:
            began = time.monotonic()
            answer = requests.post(f"{base}/webhooks/lever/some-key/", json={}, timeout=60)
            answers.append((answer.status_code, time.monotonic() - began))

        senders = [threading.Thread(target=send) for _ in range(3 * THREADS)]
        for sender in senders:
            sender.start()
        for _ in range(3):
            assert requests.get(f"{base}/healthz/live", timeout=2).status_code == 200
            assert requests.get(f"{base}/healthz/ready", timeout=2).status_code == 503
        for sender in senders:
            sender.join()
        assert [status for status, _ in answers] == [503] * len(senders)
        assert max(seconds for _, seconds in answers) < 3 * WEBHOOK_SECONDS
    finally:
        proxy.is_silent = False
        server.kill()
