"""A clock that stands still unless it is moved: waits, leases and backoffs pass without sleeping.

Python's clocks and the database's both show it, so that a row's due time and a worker's time-out pass together. It
moves by a millisecond with each statement and by CALL_SECONDS with each call, by as much as the product sleeps, and
between two steps to the moment at which the next row is due. The same run therefore has the same order every time.
"""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Self
from unittest import mock

import time_machine
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from integrations.store import database
from portal.devtools import databases

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STATEMENT_SECONDS = 0.001
CALL_SECONDS = 0.05


class PretendClock:
    """Takes the place of all clocks while it is entered; it begins at a moment."""

    def __init__(self, begin: datetime = START) -> None:
        self._begin = begin

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._stack.callback(database.reset_clock)  # the real clock may stand where this one was read
        travel = time_machine.travel(self._begin, tick=False)
        self._traveller = self._stack.enter_context(travel)
        for name, replacement in (("time.sleep", self.advance), ("time.monotonic", self.seconds)):
            self._stack.enter_context(mock.patch(name, replacement))
        self._stack.enter_context(mock.patch.object(database, "_uptime", self.seconds))
        database.reset_clock()
        connection_created.connect(self._replace_now)
        return self

    def __exit__(self, *_: object) -> None:
        connection_created.disconnect(self._replace_now)
        for connection in connections.all(initialized_only=True):
            databases.leave(connection)
        self._stack.close()

    def now(self) -> datetime:
        """Return the time that every clock shows."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Return the seconds since the clock's start."""
        return (self.now() - self._begin).total_seconds()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._traveller.shift(seconds)

    def move_to(self, moment: datetime) -> None:
        """Let time pass until just after a moment; nothing if it is over."""
        wait = moment + timedelta(seconds=STATEMENT_SECONDS) - self.now()
        if wait > timedelta(0):
            self.advance(wait.total_seconds())

    def _replace_now(self, connection: BaseDatabaseWrapper, **_: object) -> None:
        if connection.vendor == "postgresql":
            databases.postgresql_follows_python(connection)
        else:
            databases.sqlite_follows_python(connection.connection)
