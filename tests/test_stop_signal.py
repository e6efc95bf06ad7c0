"""The request to stop reaches every process of a cluster, whichever of them were killed."""

import multiprocessing
import os
import signal
import time

import pytest

from integrations.http import stop_signal


@pytest.fixture(autouse=True)
def _signal():
    yield
    stop_signal.discard()


def test_nothing_is_requested_where_there_is_no_signal():
    stop_signal.request()
    assert not stop_signal.is_requested()


def test_a_wait_ends_when_a_stop_is_requested():
    stop_signal.prepare()
    assert not stop_signal.wait(0.01)
    stop_signal.request()
    started_at = time.monotonic()
    assert stop_signal.wait(60)
    assert time.monotonic() - started_at < 30
    stop_signal.request()
    assert stop_signal.is_requested()


def test_every_process_sees_the_request_when_others_that_waited_for_it_were_killed():
    stop_signal.prepare()
    processes = [
        multiprocessing.get_context("fork").Process(target=_exit_with_the_answer, daemon=True)
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    os.kill(processes[0].pid or 0, signal.SIGKILL)
    processes[0].join()
    stop_signal.request()
    for process in processes[1:]:
        process.join(30)
    assert [process.exitcode for process in processes] == [-9, 1, 1]


def test_a_stop_is_requested_when_the_process_that_could_request_it_was_killed():
    with multiprocessing.get_context("fork").Manager() as manager:
        answers = manager.list()
        cluster = multiprocessing.get_context("fork").Process(target=_be_a_cluster, args=[answers])
        cluster.start()
        cluster.join(30)
        deadline = time.monotonic() + 30
        while not answers and time.monotonic() < deadline:
            time.sleep(0.02)
        assert list(answers) == [True]


def _be_a_cluster(answers) -> None:
    stop_signal.prepare()
    if os.fork() == 0:
        answers.append(stop_signal.wait(60))
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)


def _exit_with_the_answer() -> None:
    os._exit(stop_signal.wait(60))
