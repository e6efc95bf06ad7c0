"""The clock of the history: this process, and the database as it sees it, live at moments of the past."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace, TracebackType
from typing import Self
from unittest import mock

import time_machine
from django.db import connection

from integrations.http import session
from integrations.models import circuit_breaker, db_clock
from portal.devtools import sqlite_clock


class PastClock:
    """Begins at a moment and is put forward by `go_to`; in between it goes on as fast as the true one."""

    def __init__(self, begin: datetime) -> None:
        self._travel = time_machine.travel(begin, tick=True)
        self._clock: time_machine.Traveller | None = None
        self._taken = 0.0
        self._measured = mock.patch.object(session, "time", SimpleNamespace(monotonic=self._monotonic))

    def __enter__(self) -> Self:
        connection.ensure_connection()
        sqlite_clock.follow_python(connection.connection)
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


def _forget_readings() -> None:
    """Discard what the portal keeps of the time, and of a platform's answers, by the monotonic clock."""
    db_clock.reset()
    circuit_breaker.forget()
