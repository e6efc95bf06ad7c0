"""A connection is checked after a rest, not before each request; statements are planned once or for their values."""

import time
from unittest import mock

import environ
import psycopg
import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from portal.devtools import test_suites
from portal.process.postgresql_backend.base import REST_SECONDS

pytestmark = pytest.mark.postgres


@pytest.fixture
def connection(db):
    configuration = environ.Env.db_url_config(test_suites.DATABASE_URL) | {
        "ENGINE": "portal.process.postgresql_backend",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 3},
    }
    one = ConnectionHandler({"default": configuration})["default"]
    yield one
    one.close()


def request(connection) -> int:
    """Return the server's process after a query in a new request."""
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def end(process: int) -> None:
    """End a connection as a restart of the server does."""
    with psycopg.connect(test_suites.DATABASE_URL, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])


def test_a_connection_in_steady_use_is_not_checked(connection):
    request(connection)
    with mock.patch.object(connection, "is_usable") as is_usable:
        for _ in range(3):
            request(connection)
    is_usable.assert_not_called()


def test_a_connection_that_ended_while_it_rested_is_replaced_before_it_is_used(connection):
    first = request(connection)
    end(first)
    later = time.monotonic() + REST_SECONDS
    with mock.patch("portal.process.postgresql_backend.base.time.monotonic", return_value=later):
        assert request(connection) != first


def test_after_the_request_that_met_its_end_a_connection_is_replaced(connection):
    first = request(connection)
    end(first)
    with pytest.raises(OperationalError):
        request(connection)
    assert request(connection) != first


def test_a_connection_is_not_checked_later_in_a_request_that_began_without(connection):
    request(connection)
    request(connection)
    later = time.monotonic() + REST_SECONDS
    with (
        mock.patch.object(connection, "is_usable") as is_usable,
        mock.patch("portal.process.postgresql_backend.base.time.monotonic", return_value=later),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1")
    is_usable.assert_not_called()


def test_no_statement_is_compiled_whatever_the_server_is_set_to(connection):
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


def test_what_is_committed_meanwhile_is_read_whatever_the_environment_says(connection, monkeypatch):
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_isolation=repeatable\\ read")
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET SESSION default_transaction_isolation = 'serializable'"
        )  # as a pool may have left it
        connection.commit()
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)
