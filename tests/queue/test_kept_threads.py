"""Threads are kept with their connections, the one used last is used first, and those that aren't needed end."""

import sqlite3
import threading
from functools import partial
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.db import connection

from integrations.queue.kept_threads import KeptThreads
from integrations.queue.step_threads import StepThreads
from portal.process.postgresql_backend import base


@pytest.fixture
def threads():
    kept = KeptThreads()
    yield kept
    kept.end_all()


def perform(threads: KeptThreads, *tasks) -> list[Any]:
    """Have the tasks performed at the same time; return what they returned, in the order of the tasks."""
    results: list[Any] = [None] * len(tasks)
    ended = threading.Semaphore(0)
    together = threading.Barrier(len(tasks))

    def numbered(number, task):
        together.wait(30)
        results[number] = task()

    for number, task in enumerate(tasks):
        threads.perform(partial(numbered, number, task), ended.release)
    for _ in tasks:
        assert ended.acquire(timeout=30)
    return results


def database_session() -> Any:
    connection.ensure_connection()
    return connection.connection


@pytest.mark.django_db(transaction=True)
def test_a_task_has_the_connection_of_the_task_before(threads):
    first, second = perform(threads, database_session), perform(threads, database_session)
    assert first == second


def test_tasks_at_the_same_time_have_threads_of_their_own(threads):
    first, second = perform(threads, threading.get_ident, threading.get_ident)
    assert first != second


def test_of_the_threads_that_are_too_old_the_one_used_last_is_kept(threads):
    perform(threads, *[threading.get_ident] * 3)
    (used_last,) = perform(threads, threading.get_ident)
    before = threading.active_count()
    threads.end_unused(seconds=0.0)
    assert threading.active_count() == before - 2
    assert perform(threads, threading.get_ident) == [used_last]


def test_threads_used_lately_are_kept(threads):
    perform(threads, *[threading.get_ident] * 3)
    before = threading.active_count()
    threads.end_unused(seconds=60.0)
    assert threading.active_count() == before


@pytest.mark.django_db(transaction=True)
def test_connections_are_closed_when_all_threads_end(threads):
    (session,) = perform(threads, database_session)
    session.execute("SELECT 1")
    threads.end_all()
    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError)):
        session.execute("SELECT 1")


@pytest.mark.django_db(transaction=True)
def test_a_step_connects_anew_when_the_connection_broke_while_it_was_kept(monkeypatch):
    monkeypatch.setattr(base, "REST_SECONDS", 0.0)
    answers = []

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            answers.append(cursor.fetchone())

    def ask_and_lose_connection() -> None:
        ask()
        if connection.vendor == "postgresql":
            connection.connection.close()

    steps = StepThreads(1, lambda: None)
    for task in (ask_and_lose_connection, ask):
        steps.hand_over(task)
        assert steps.join(30)
    assert answers == [(1,), (1,)]


def test_a_task_that_no_thread_is_to_be_had_for_does_not_count_as_running():
    steps = StepThreads(1, lambda: None)
    no_room = mock.patch("threading.Thread.start", side_effect=RuntimeError("can't start new thread"))
    with no_room, pytest.raises(RuntimeError):
        steps.hand_over(lambda: None)
    assert (steps.running, steps.idle) == (0, 1)
    assert steps.join(1)
