"""How a worker notices new work without asking the database for it again and again.

On PostgreSQL the process that commits the work notifies (`queue/notify.py`), and the worker listens. On SQLite the
worker reads a counter of the file which every other connection's commit raises; that costs no query and a few
microseconds. What is missed either way is found when the worker looks, once a second.
"""

import os
import time
from typing import Protocol

import psycopg
from django.db import connection

from integrations import stop_signal

CHANNEL = "portal_work"
#: Between two readings of SQLite's counter: on average a row waits for half of it, and most of what an idle worker
#: does is waking up so often.
READ_COUNTER_SECONDS = 0.01


def notify() -> None:
    """Wake the workers of all nodes at the end of the transaction. SQLite's see the commit itself.

    Raises DatabaseError or InterfaceError when the database is unreachable.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


class _Source(Protocol):
    """Where new work is noticed, on this thread's connection to the database."""

    #: After so many seconds it has to be asked again; None when `descriptor` becomes readable by itself.
    ask_every: float | None

    def descriptor(self) -> int | None:
        """Return what becomes readable when there may be new work."""

    def has_new_work(self) -> bool:
        """Whether there may be new work since the last time. Raises OperationalError when the connection broke."""

    def close(self) -> None:
        """Leave nothing on the connection, which lives longer."""


class _Notifications:
    """Notifications of PostgreSQL."""

    ask_every: float | None = None

    def __init__(self) -> None:
        self._listening: psycopg.Connection | None = None
        self._was_notified = False

    def descriptor(self) -> int | None:
        """Return the connection's socket; a new connection listens first."""
        connection.ensure_connection()
        if connection.connection is not self._listening:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._listening = connection.connection
            # those that arrive with the answer to a query
            self._listening.add_notify_handler(self._note)
            self._was_notified = True  # what was sent before is lost
        return self._listening.fileno()

    def has_new_work(self) -> bool:
        """Whether a notification has arrived."""
        if self._listening is not None:
            with connection.wrap_database_errors:
                self._listening.pgconn.consume_input()
                while self._listening.pgconn.notifies():
                    self._was_notified = True
        was_notified, self._was_notified = self._was_notified, False
        return was_notified

    def close(self) -> None:
        """Remove the handler; the connection goes on listening for the next drain."""
        if self._listening is not None:
            self._listening.remove_notify_handler(self._note)
            self._listening = None

    def _note(self, _notification: psycopg.Notify) -> None:
        self._was_notified = True


class _ChangeCounter:
    """SQLite's counter of what other connections, of any process, have committed."""

    ask_every: float | None = READ_COUNTER_SECONDS

    def __init__(self) -> None:
        self._read: tuple[object, int] | None = None

    def descriptor(self) -> int | None:
        """Return None: a file's change makes nothing readable."""
        return None

    def has_new_work(self) -> bool:
        """Whether another connection has committed something; each connection counts for itself."""
        connection.ensure_connection()
        (count,) = connection.connection.execute("PRAGMA data_version").fetchone()
        former, self._read = self._read, (connection.connection, count)
        return self._read != former

    def close(self) -> None:
        """Do nothing: only a number was read."""


class WakeUps:
    """Lets the thread that makes it wait for new work, for a step's end in another thread, or for a stop."""

    def __init__(self) -> None:
        self._source: _Source = _Notifications() if connection.vendor == "postgresql" else _ChangeCounter()
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    @property
    def are_notifications(self) -> bool:
        """Whether processes that commit send them, at most so often; else each commit of any process is noticed."""
        return self._source.ask_every is None

    def close(self) -> None:
        """Close the pipe and the source; no thread may call `end_step` any more."""
        self._source.close()
        os.close(self._reader)
        os.close(self._writer)

    def end_step(self) -> None:
        """Wake the waiting thread, since a step has ended. Any thread may call it."""
        try:
            os.write(self._writer, b".")
        except BlockingIOError:
            return  # it has been woken so often already

    def wait(self, seconds: float) -> bool:
        """Wait so many seconds, less when a step ends, a stop is requested or there may be new work.

        Return whether there may be new work. Raises OperationalError when the connection to the database broke.
        """
        until = time.monotonic() + seconds
        is_over = False
        while True:
            descriptor = self._source.descriptor()
            watched = [self._reader] if descriptor is None else [self._reader, descriptor]
            if self._source.has_new_work():
                return True
            if is_over:
                return False
            left = max(0.0, until - time.monotonic())
            pause = left if self._source.ask_every is None else min(left, self._source.ask_every)
            is_stopped = stop_signal.wait(pause, *watched)
            is_over = self._step_ended() or is_stopped or time.monotonic() >= until

    def _step_ended(self) -> bool:
        try:
            return bool(os.read(self._reader, 4096))
        except BlockingIOError:
            return False
