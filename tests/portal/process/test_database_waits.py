"""Waiting for a database has an end, and one that can't be reached is asked by one thread at a time."""

import threading
import time
from collections.abc import Iterator

import pytest

from portal.process import database_waits
from portal.process.database_waits import ConnectionGate, Unreachable


class Connection:
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def gate(monkeypatch) -> ConnectionGate[Connection]:
    monkeypatch.setattr(database_waits, "TRY_AGAIN_SECONDS", 0.0)
    return ConnectionGate()


@pytest.fixture
def longest() -> Iterator[None]:
    database_waits.set_longest(7.0)
    yield
    database_waits._longest = None


class Silent:
    """A database that gives a connection only once it is told to."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.tries = 0
        self.given: list[Connection] = []

    def __call__(self) -> Connection:
        self.tries += 1
        self.answers.wait(20)
        self.given.append(Connection())
        return self.given[-1]


def refuse() -> Connection:
    raise ConnectionRefusedError("refused")


def test_a_wait_has_no_end_unless_one_is_set(longest):
    assert database_waits.seconds_left() == 7.0
    with database_waits.at_most(1000):
        assert database_waits.seconds_left() == 7.0
        with database_waits.at_most(0.0):
            assert database_waits.seconds_left() == 0.0
    database_waits._longest = None
    assert database_waits.seconds_left() is None


def test_a_shorter_end_is_not_put_off_by_a_later_one():
    with database_waits.at_most(1.0), database_waits.at_most(50.0):
        left = database_waits.seconds_left()
    assert left is not None
    assert left <= 1.0


def test_a_silent_database_is_given_up_in_time(gate):
    silent = Silent()
    began = time.monotonic()
    with pytest.raises(Unreachable):
        gate.connect(silent, 0.05)
    assert time.monotonic() - began < 10
    silent.answers.set()


def test_a_try_that_took_too_long_serves_the_thread_that_asks_next(gate):
    silent = Silent()
    with pytest.raises(Unreachable):
        gate.connect(silent, 0.01)
    silent.answers.set()
    assert isinstance(gate.connect(silent, 20), Connection)
    assert silent.tries == 1


@pytest.mark.parametrize("answer", ["connection", "error"])
def test_what_a_try_gave_long_before_anybody_asked_is_not_handed_out(gate, monkeypatch, answer):
    silent = Silent()

    def late() -> Connection:
        connection = silent()
        if answer == "error":
            raise ConnectionRefusedError("refused")
        return connection

    with pytest.raises(Unreachable):
        gate.connect(late, 0.01)
    silent.answers.set()
    while gate._tries[0].ended_at == float("inf"):
        time.sleep(0.001)
    monkeypatch.setattr(database_waits, "KEPT_SECONDS", 0.0)
    connection = gate.connect(Connection, 20)
    assert connection is not silent.given[0]
    assert silent.given[0].is_closed is (answer == "connection")
    assert gate._tries == []


def test_while_one_thread_tries_after_a_failure_the_others_are_told_at_once(gate):
    with pytest.raises(ConnectionRefusedError):
        gate.connect(refuse, 20)
    silent, connected = Silent(), []
    trying = threading.Thread(target=lambda: connected.append(gate.connect(silent, 20)))
    trying.start()
    while not silent.tries:
        time.sleep(0.001)
    with pytest.raises(Unreachable, match="refused"):
        gate.connect(silent, 20)
    silent.answers.set()
    trying.join()
    assert len(connected) == silent.tries == 1


def test_every_thread_connects_again_once_one_did(gate):
    with pytest.raises(ConnectionRefusedError):
        gate.connect(refuse, 20)
    assert isinstance(gate.connect(Connection, 20), Connection)
    silent = Silent()
    threads = [threading.Thread(target=gate.connect, args=[silent, 20]) for _ in range(2)]
    for thread in threads:
        thread.start()
    while silent.tries < 2:
        time.sleep(0.001)
    silent.answers.set()
    for thread in threads:
        thread.join()


def test_a_database_that_failed_a_moment_ago_is_not_asked(monkeypatch):
    monkeypatch.setattr(database_waits, "TRY_AGAIN_SECONDS", 60.0)
    gate: ConnectionGate[Connection] = ConnectionGate()
    gate.note_failure("it didn't answer in time")
    with pytest.raises(Unreachable, match="didn't answer"):
        gate.connect(Connection, 20)
