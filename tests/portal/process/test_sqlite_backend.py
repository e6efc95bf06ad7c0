"""Writers on SQLite wait for each other by looking often."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from portal.process.sqlite_backend.base import LOOK_MS, Cursor, DatabaseWrapper

pytestmark = pytest.mark.django_db

PATIENCE = 0.3


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[[], DatabaseWrapper]]:
    made = []

    def make() -> DatabaseWrapper:
        settings = {
            "ENGINE": "portal.process.sqlite_backend",
            "NAME": str(tmp_path / "some.sqlite3"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": PATIENCE,
                "init_command": "PRAGMA journal_mode=WAL",
            },
            "TIME_ZONE": None,
            "CONN_HEALTH_CHECKS": False,
            "CONN_MAX_AGE": 0,
            "AUTOCOMMIT": True,
        }
        wrapper = DatabaseWrapper(settings)
        wrapper.inc_thread_sharing()
        made.append(wrapper)
        return wrapper

    yield make
    for wrapper in made:
        wrapper.close()


def run(wrapper: DatabaseWrapper, statement: str, *params: Any) -> None:
    with wrapper.cursor() as cursor:
        cursor.execute(statement, params)


def numbers(wrapper: DatabaseWrapper) -> list[int]:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT number FROM box ORDER BY number")
        return [row[0] for row in cursor.fetchall()]


def test_a_writer_waits_until_the_other_is_done_and_looks_often(connect) -> None:
    first, second = connect(), connect()
    run(first, "CREATE TABLE box (number INTEGER)")
    run(first, "BEGIN IMMEDIATE")
    run(first, "INSERT INTO box VALUES (1)")
    release = threading.Timer(PATIENCE / 3, lambda: run(first, "COMMIT"))
    release.start()
    run(second, "INSERT INTO box VALUES (%s)", 2)
    release.join()
    assert numbers(second) == [1, 2]
    with second.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (LOOK_MS,)


def test_a_transaction_waits_as_a_single_statement_does(connect) -> None:
    first, second = connect(), connect()
    run(first, "CREATE TABLE box (number INTEGER)")
    run(first, "BEGIN IMMEDIATE")
    release = threading.Timer(PATIENCE / 3, lambda: run(first, "COMMIT"))
    release.start()
    second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    run(second, "INSERT INTO box VALUES (2)")
    second.commit()
    release.join()
    assert numbers(first) == [2]


def test_who_has_waited_long_enough_is_told_so(connect) -> None:
    first, second = connect(), connect()
    run(first, "CREATE TABLE box (number INTEGER)")
    run(first, "BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(OperationalError, match="locked"):
        run(second, "INSERT INTO box VALUES (1)")
    assert time.monotonic() - began >= PATIENCE


def test_a_read_that_cannot_become_a_write_any_more_is_not_tried_again(connect) -> None:
    first, second = connect(), connect()
    run(first, "CREATE TABLE box (number INTEGER)")
    run(second, "BEGIN DEFERRED")
    assert numbers(second) == []
    run(first, "INSERT INTO box VALUES (1)")
    began = time.monotonic()
    with pytest.raises(OperationalError, match="locked"):
        run(second, "INSERT INTO box VALUES (2)")
    assert time.monotonic() - began < PATIENCE


def test_many_rows_at_once_are_not_written_again_from_the_start() -> None:
    """Outside a transaction each row is committed by itself: what has begun isn't repeated."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    cursor = connection.cursor(factory=Cursor)
    cursor.execute("CREATE TABLE box (number INTEGER)")
    tries = []

    def busy_midway() -> None:
        tries.append(1)
        connection.execute("INSERT INTO box VALUES (1)")
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        cursor._when_free(busy_midway)
    assert tries == [1]
    cursor.executemany("INSERT INTO box VALUES (%s)", ([number] for number in (2, 3)))
    assert cursor.execute("SELECT count(*) FROM box").fetchone() == (3,)
    connection.close()
