"""Which errors count as a database outage, and what a webhook passes through."""

import time
from unittest import mock

import environ
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InternalError, OperationalError
from django.db.utils import ConnectionHandler

from portal import middleware
from portal.devtools import test_suites


def test_an_internal_error_is_no_outage_when_the_connection_works(db):
    assert not middleware.is_outage(InternalError("cached plan must not change"))


@pytest.mark.postgres
def test_an_internal_error_is_an_outage_when_postgresql_ended_the_connection(db, monkeypatch):
    server = ConnectionHandler({"default": environ.Env.db_url_config(test_suites.DATABASE_URL)})["default"]
    try:
        with server.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = '50ms'")
            cursor.execute("BEGIN")
            time.sleep(0.2)
            with pytest.raises(InternalError) as raised:
                cursor.execute("SELECT 1")
        monkeypatch.setattr(middleware, "connection", server)
        assert middleware.is_outage(raised.value)
    finally:
        server.close()


def test_a_webhook_opens_no_session_and_reads_no_cookie(client, db):
    client.cookies["sessionid"] = "x" * 32
    with mock.patch.object(SessionStore, "load", side_effect=AssertionError):
        answer = client.post("/webhooks/lever/no-key/", "{}", content_type="application/json")
    assert answer.status_code == 404
    assert answer["Content-Security-Policy"]
    assert answer["Content-Length"] == str(len(answer.content))  # else the connection is closed after it
    assert not answer.cookies


def test_a_webhook_to_a_host_that_is_not_ours_is_refused(client, db):
    answer = client.post(
        "/webhooks/lever/no-key/", "{}", "application/json", headers={"host": "other.example"}
    )
    assert answer.status_code == 400


def test_an_outage_that_a_middleware_meets_is_answered_503(client, super_admin, monkeypatch):
    client.force_login(super_admin, backend="portal.accounts.backend.PasswordBackend")
    client.raise_request_exception = False
    for error, status in (
        (OperationalError("server closed the connection"), 503),
        (ValueError("a bug"), 500),
    ):
        monkeypatch.setattr("portal.accounts.middleware._why_over", mock.Mock(side_effect=error))
        answer = client.get("/account/", headers={"accept": "text/html"})
        assert answer.status_code == status
        assert answer.has_header("Retry-After") == (status == 503)
