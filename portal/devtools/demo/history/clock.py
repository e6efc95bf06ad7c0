"""The clock of the history: this process, and the database as it sees it, live at moments of the past."""

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace, TracebackType
from typing import Self
from unittest import mock

import time_machine
from django.db import connection

from integrations.http import session
from integrations.models import circuit_breaker, db_clock

DATABASE_FORMAT = "%Y-%m-%d %H:%M:%f"


class PastClock:
    """Begins at a moment and is put forward by `go_to`; in between it goes on as fast as the true one.

    SQLite has its own clock. The functions that read it are replaced on the connection by ones that read Python's.
    """

    def __init__(self, begin: datetime) -> None:
        self._travel = time_machine.travel(begin, tick=True)
        self._clock: time_machine.Traveller | None = None
        self._taken = 0.0
        self._measured = mock.patch.object(session, "time", SimpleNamespace(monotonic=self._monotonic))

    def __enter__(self) -> Self:
        connection.ensure_connection()
        connection.connection.create_function("strftime", -1, _strftime)
        connection.connection.create_function("julianday", -1, partial(_builtin, "julianday"))
        connection.connection.execute("PRAGMA synchronous = OFF")
        self._clock = self._travel.start()
        self._measured.start()
        _forget_readings()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._measured.stop()
        self._travel.stop()  # from now on the functions tell the true time
        connection.close()
        _forget_readings()

    def take(self, seconds: float) -> None:
        """Let something take so many seconds more, also by the clock that measures the calls to the platforms."""
        if self._clock is not None:
            self._clock.shift(seconds)
            self._taken += seconds
            db_clock.reset()

    def _monotonic(self) -> float:
        return time.monotonic() + self._taken

    def go_to(self, moment: datetime) -> None:
        """Put the clock forward; it is left as it is when the moment has passed."""
        if self._clock is not None and moment > datetime.now(UTC):
            self._clock.move_to(moment)
            _forget_readings()


def _strftime(*arguments: str) -> object:
    if arguments[1:] in (("now",), ("NOW",)) and arguments[0] == DATABASE_FORMAT:
        return _now()
    return _builtin("strftime", *arguments)


def _builtin(function: str, *arguments: str) -> object:
    """Return what SQLite's own function returns, with Python's time for "now"."""
    known = [_now() if str(argument).lower() == "now" else argument for argument in arguments]
    places = ", ".join("?" * len(known))
    with closing(sqlite3.connect(":memory:")) as builtin:
        return builtin.execute(f"SELECT {function}({places})", known).fetchone()[0]


def _now() -> str:
    """Return the time as SQLite's `strftime` writes it for Django."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def _forget_readings() -> None:
    """Discard what the portal keeps of the time, and of a platform's answers, by the monotonic clock."""
    db_clock.reset()
    circuit_breaker.forget()
