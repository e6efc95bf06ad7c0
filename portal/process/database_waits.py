"""How long a thread waits for the database, so that one that has fallen silent holds nobody up for long.

A host that is gone, or a name that leads elsewhere now, is noticed by TCP after the seconds that database_settings.py
sets; a proxy in between may keep a connection open for ever. Here the waiting itself has an end.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

#: While the database can't be reached, it is tried again so long after the last try.
TRY_AGAIN_SECONDS = 0.5
#: What a try gave after its thread had gone is handed out for so long: a connection that rests may end unnoticed.
KEPT_SECONDS = 1.0

_until: ContextVar[float | None] = ContextVar("the end of waiting for the database", default=None)
#: How long a thread of this process waits for one answer at most; without an end unless a process sets it.
_longest: float | None = None


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Have this thread wait so many seconds for the database in all; what it asks later fails at once."""
    token = _until.set(min(_until.get() or float("inf"), time.monotonic() + seconds))
    try:
        yield
    finally:
        _until.reset(token)


def set_longest(seconds: float) -> None:
    """Have every thread of this process wait at most so many seconds for one answer."""
    global _longest  # noqa: PLW0603
    _longest = seconds


def seconds_left() -> float | None:
    """Return how long this thread may wait for the next answer, None when there is no end."""
    until = _until.get()
    if until is None:
        return _longest
    left = max(0.0, until - time.monotonic())
    return left if _longest is None else min(left, _longest)


class Unreachable(Exception):
    """The database isn't asked for a connection, or hasn't given one in time; the text says why."""


class Closable(Protocol):
    """A connection."""

    def close(self) -> None:
        """End it."""


@dataclass
class _Try[Connection: Closable]:
    """A try to connect. One that takes too long for its thread goes on, and serves the thread that asks next."""

    outcome: Future[Connection]
    is_awaited: bool = True
    ended_at: float = float("inf")

    def note_end(self, _: Future[Connection]) -> None:
        """Note when it gave a connection, or failed."""
        self.ended_at = time.monotonic()


class ConnectionGate[Connection: Closable]:
    """The way to one database: once a try has failed, one thread at a time tries, and the others are told at once.

    Otherwise all threads of the web server would wait for a database that is away, one request after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failure = ""
        self._again_at = 0.0
        self._tries: list[_Try[Connection]] = []

    def connect(self, connect: Callable[[], Connection], seconds: float) -> Connection:
        """Return a connection within so many seconds, in which the name is looked up too. Raises Unreachable.

        Errors of `connect` are raised as they are.
        """
        one = self._begin(connect)
        try:
            connection = one.outcome.result(seconds)
        except TimeoutError:
            self.note_failure("it gave no connection in time")
            with self._lock:
                one.is_awaited = False
            raise Unreachable(self._failure) from None
        except BaseException as error:
            self._end(one)
            self.note_failure(str(error))
            raise
        self._end(one)
        self._failure = ""
        return connection

    def note_failure(self, reason: str) -> None:
        """Note that the database can't be reached, or doesn't answer."""
        self._failure, self._again_at = reason, time.monotonic() + TRY_AGAIN_SECONDS

    def _begin(self, connect: Callable[[], Connection]) -> _Try[Connection]:
        """Return a try whose outcome this thread awaits."""
        with self._lock:
            for old in [one for one in self._tries if time.monotonic() - one.ended_at > KEPT_SECONDS]:
                if not old.is_awaited:
                    self._tries.remove(old)
                    if old.outcome.exception() is None:
                        old.outcome.result().close()
            if self._failure and (
                time.monotonic() < self._again_at or any(one.is_awaited for one in self._tries)
            ):
                raise Unreachable(f"a moment ago: {self._failure}")
            late = next((one for one in self._tries if not one.is_awaited), None)
            if late is not None:
                late.is_awaited = True
                return late
            one = _Try[Connection](Future())
            one.outcome.add_done_callback(one.note_end)
            self._tries.append(one)
        # in a thread of its own: the look-up of a name can't be ended
        threading.Thread(target=_settle, args=[one.outcome, connect], daemon=True, name="connect").start()
        return one

    def _end(self, one: _Try[Connection]) -> None:
        with self._lock:
            self._tries.remove(one)


def _settle[Connection: Closable](outcome: Future[Connection], connect: Callable[[], Connection]) -> None:
    try:
        outcome.set_result(connect())
    except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
        outcome.set_exception(error)
