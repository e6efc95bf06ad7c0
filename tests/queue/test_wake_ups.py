"""A waiting worker notices what another connection commits, the end of a step, and a stop; and nothing else."""

import threading
import time

import pytest
from django.db import connection

from integrations.queue import wake_ups
from integrations.queue.wake_ups import WakeUps
from tests import factories


@pytest.fixture
def waiting(transactional_db):
    """What lets this thread wait, after whatever happened before it began."""
    waiting = WakeUps()
    waiting.wait(0.0)
    yield waiting
    waiting.close()


def soon(function) -> threading.Thread:
    """Call the function in another thread in a moment."""

    def run():
        time.sleep(0.1)
        function()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def commit_and_notify():
    factories.OrganizationFactory.create()
    wake_ups.notify()


def test_new_work_ends_the_wait(waiting):
    thread = soon(commit_and_notify)
    assert waiting.wait(60)
    thread.join()


def test_new_work_that_came_before_the_wait_ends_it_at_once(waiting):
    soon(commit_and_notify).join()
    assert waiting.wait(60)


def test_the_end_of_a_step_ends_the_wait_and_is_no_new_work(waiting):
    thread = soon(waiting.end_step)
    began = time.monotonic()
    assert not waiting.wait(60)
    assert time.monotonic() - began < 30
    thread.join()


def test_a_stop_ends_the_wait(waiting, request_stop):
    thread = soon(request_stop)
    began = time.monotonic()
    assert not waiting.wait(60)
    assert time.monotonic() - began < 30
    thread.join()


def test_a_wait_for_which_nothing_comes_ends_with_its_time(waiting):
    assert not waiting.wait(0.05)


def test_new_work_is_looked_for_after_the_connection_was_replaced(waiting):
    connection.close()
    assert waiting.wait(60)
