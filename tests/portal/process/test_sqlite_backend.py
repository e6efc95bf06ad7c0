"""Writers on SQLite wait for each other by retrying often."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from portal.process.sqlite_backend.base import BUSY_TIMEOUT_MS, Cursor, DatabaseWrapper

pytestmark = pytest.mark.django_db

TIMEOUT = 0.3


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[[], DatabaseWrapper]]:
    wrappers = []

    def make() -> DatabaseWrapper:
        settings = {
            "ENGINE": "portal.process.sqlite_backend",
            "NAME": str(tmp_path / "test.sqlite3"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": TIMEOUT,
                "init_command": "PRAGMA journal_mode=WAL",
            },
            "TIME_ZONE": None,
            "CONN_HEALTH_CHECKS": False,
            "CONN_MAX_AGE": 0,
            "AUTOCOMMIT": True,
        }
        wrapper = DatabaseWrapper(settings)
        wrapper.inc_thread_sharing()
        wrappers.append(wrapper)
        return wrapper

    yield make
    for wrapper in wrappers:
        wrapper.close()


def run(wrapper: DatabaseWrapper, statement: str, *params: Any) -> None:
    with wrapper.cursor() as cursor:
        cursor.execute(statement, params)


def stored_numbers(wrapper: DatabaseWrapper) -> list[int]:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT number FROM numbers ORDER BY number")
        return [row[0] for row in cursor.fetchall()]


def test_a_writer_waits_until_the_other_has_committed(connect) -> None:
    first, second = connect(), connect()
    run(first, "CREATE TABLE numbers (number INTEGER)")
    run(first, "BEGIN IMMEDIATE")
    run(first, "INSERT INTO numbers VALUES (1)")
    release = threading.Timer(TIMEOUT / 3, lambda: run(first, "COMMIT"))
    release.start()
    run(second, "INSERT INTO numbers VALUES (%s)", 2)
    release.join()
    assert stored_numbers(second) == [1, 2]
    with second.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (BUSY_TIMEOUT_MS,)


def test_a_transaction_waits_until_the_other_has_committed(connect) -> None:
    first, second = connect(), connect()
    run(first, "CREATE TABLE numbers (number INTEGER)")
    run(first, "BEGIN IMMEDIATE")
    release = threading.Timer(TIMEOUT / 3, lambda: run(first, "COMMIT"))
    release.start()
    second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    run(second, "INSERT INTO numbers VALUES (2)")
    second.commit()
    release.join()
    assert stored_numbers(first) == [2]


def test_a_writer_gets_an_error_when_the_timeout_is_over(connect) -> None:
    first, second = connect(), connect()
    run(first, "CREATE TABLE numbers (number INTEGER)")
    run(first, "BEGIN IMMEDIATE")
    started_at = time.monotonic()
    with pytest.raises(OperationalError, match="locked"):
        run(second, "INSERT INTO numbers VALUES (1)")
    assert time.monotonic() - started_at >= TIMEOUT


def test_a_write_is_not_retried_when_its_read_transaction_is_outdated(connect) -> None:
    first, second = connect(), connect()
    run(first, "CREATE TABLE numbers (number INTEGER)")
    run(second, "BEGIN DEFERRED")
    assert stored_numbers(second) == []
    run(first, "INSERT INTO numbers VALUES (1)")
    started_at = time.monotonic()
    with pytest.raises(OperationalError, match="locked"):
        run(second, "INSERT INTO numbers VALUES (2)")
    assert time.monotonic() - started_at < TIMEOUT


def test_executemany_is_not_retried_when_some_rows_are_written() -> None:
    """Outside a transaction each row is committed alone, so a retry would write the first rows again."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    cursor = connection.cursor(factory=Cursor)
    cursor.execute("CREATE TABLE numbers (number INTEGER)")
    calls = []

    def busy_after_one_row() -> None:
        calls.append(1)
        connection.execute("INSERT INTO numbers VALUES (1)")
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        cursor._retry_while_busy(busy_after_one_row)
    assert calls == [1]
    cursor.executemany("INSERT INTO numbers VALUES (%s)", ([number] for number in (2, 3)))
    assert cursor.execute("SELECT count(*) FROM numbers").fetchone() == (3,)
    connection.close()
