"""An outage is one line a minute in each process, without its traceback; whatever else is logged stays as it is."""

import logging
import multiprocessing
import os
import sqlite3
import sys
import threading
from contextlib import closing

import psycopg
import pytest
import redis
from django.db import OperationalError, ProgrammingError

from portal import logs
from portal.logs import OncePerOutage


def caused(error: Exception, cause: Exception | None) -> Exception:
    error.__cause__ = cause
    return error


def record(error: BaseException | None = None, **more: object) -> logging.LogRecord:
    try:
        raise error or ValueError
    except BaseException:  # noqa: BLE001 - it is logged
        info = sys.exc_info() if error else None
    one = logging.LogRecord("x", logging.ERROR, __file__, 1, "the step of %s ended", ("a row",), info)
    one.__dict__.update(more)
    return one


SILENT = caused(OperationalError("connection timeout expired\nand more"), psycopg.OperationalError())


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (SILENT, "the database"),
        (caused(OperationalError("x"), psycopg.errors.AdminShutdown()), "the database"),
        (caused(OperationalError("x"), psycopg.errors.TooManyConnections()), "the database"),
        (redis.ConnectionError("refused"), "Redis"),
        (redis.TimeoutError("late"), "Redis"),
        (caused(OperationalError("x"), psycopg.errors.DeadlockDetected()), ""),
        (caused(OperationalError("x"), psycopg.errors.QueryCanceled()), ""),
        (ProgrammingError("no such column"), ""),
        (KeyError("x"), ""),
        (None, ""),
    ],
)
def test_what_is_away_is_told_by_the_error(error, away):
    assert logs.outage(error) == away


def test_a_wrong_statement_on_sqlite_is_no_outage():
    with closing(sqlite3.connect(":memory:")) as memory, pytest.raises(sqlite3.OperationalError) as wrong:
        memory.execute("SELECT * FROM nothing")
    assert logs.outage(caused(OperationalError("x"), wrong.value)) == ""


def test_an_outage_is_one_line_a_minute_without_a_traceback(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("portal.logs.time.monotonic", lambda: now[0])
    outages = OncePerOutage()
    first = record(SILENT)
    assert outages.filter(first)
    assert first.getMessage() == "the step of a row ended (OperationalError: connection timeout expired)"
    assert first.exc_info is None
    assert not outages.filter(record(SILENT))
    assert outages.filter(record(redis.ConnectionError("refused")))
    now[0] += 61
    assert outages.filter(record(SILENT))


def test_processes_that_are_forked_say_it_as_one():
    outages = OncePerOutage()
    context = multiprocessing.get_context("fork")
    codes = []
    for _ in range(2):
        child = context.Process(target=lambda: sys.exit(outages.filter(record(redis.ConnectionError("x")))))
        child.start()
        child.join()
        codes.append(child.exitcode)
    assert codes == [True, False]
    assert not outages.filter(record(redis.ConnectionError("x")))


def test_a_process_that_is_forked_while_a_thread_says_it_is_not_held_up(monkeypatch):
    outages, parent = OncePerOutage(), os.getpid()
    has_begun, may_end = threading.Event(), threading.Event()

    class Minute(float):
        def __gt__(self, seconds: float) -> bool:
            if os.getpid() == parent:
                has_begun.set()
                may_end.wait(20)
            return super().__gt__(seconds)

    monkeypatch.setattr("portal.logs.SAY_EVERY_SECONDS", Minute(60))
    saying = threading.Thread(target=outages.is_news, args=["Redis"])
    saying.start()
    assert has_begun.wait(20)
    child = multiprocessing.get_context("fork").Process(target=outages.is_news, args=["Redis"])
    child.start()
    child.join(5)
    is_held_up = child.is_alive()
    child.kill()
    may_end.set()
    saying.join()
    assert not is_held_up


def made_again(what: str) -> dict[str, object]:
    return {"msg": f"reincarnated {what} death", "args": ()}


@pytest.mark.parametrize(
    ("lines", "written"),
    [
        (
            [made_again("pusher Process-1:2 after sudden"), made_again("pusher Process-1:9 after sudden")],
            [1, 0],
        ),
        ([made_again("worker Process-1:3 after"), made_again("worker Process-1:4 after")], [1, 1]),
        ([{"status_code": 503}, {"status_code": 503}], [1, 0]),
        ([{"status_code": 500}, {"status_code": 500}], [1, 1]),
    ],
)
def test_what_an_outage_repeats_is_one_line_a_minute(lines, written):
    outages = OncePerOutage()
    assert [outages.filter(record(**line)) for line in lines] == written


def test_other_errors_keep_their_traceback():
    outages = OncePerOutage()
    for _ in range(2):
        other = record(KeyError("x"))
        assert outages.filter(other)
        assert other.exc_info
