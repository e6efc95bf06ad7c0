"""Which errors count as a database outage."""

import time

import environ
import pytest
from django.db import InternalError
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
