"""Statements of a transaction that are sent to the database before the ones before them are answered.

To wait for an answer takes a worker longer than the statement itself, and while a transaction lasts, others wait for
its locks. On SQLite each statement is executed at once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.utils import CursorWrapper


class _Pipeline:
    """An open pipeline of psycopg: waits for the answer of each statement, except for those sent by `send`."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._waits = True

    def execute_and_wait(self, execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        """Execute a statement as Django's execute wrappers do; without the wait it would say that no row fits."""
        result = execute(sql, parameters, many, context)
        if self._waits:
            self.wait()
        return result

    def wait(self) -> None:
        """Wait until everything sent is answered. Raises the first error of the database."""
        with connection.wrap_database_errors:
            self._pipeline.sync()

    def send(self, cursor: CursorWrapper, sql: str, parameters: Sequence[Any]) -> None:
        """Send a statement without waiting."""
        self._waits = False
        try:
            cursor.execute(sql, parameters)
        finally:
            self._waits = True


_current: ContextVar[_Pipeline | None] = ContextVar("pipeline", default=None)


@contextmanager
def pipelined() -> Iterator[None]:
    """Inside a transaction: let statements be sent by `send`. At the end all are answered.

    The error of a statement that was sent is raised by a later one, or at the end; the transaction can't go on then.
    """
    if connection.vendor != "postgresql" or _current.get() is not None:
        yield
        return
    with connection.connection.pipeline() as opened:
        one = _Pipeline(opened)
        token = _current.set(one)
        try:
            with connection.execute_wrapper(one.execute_and_wait):
                yield
            one.wait()
        except BaseException:
            # psycopg would log what else failed, with the values of the row
            with suppress(DatabaseError, InterfaceError):
                one.wait()
            raise
        finally:
            _current.reset(token)


def send(cursor: CursorWrapper, sql: str, parameters: Sequence[Any]) -> None:
    """Send a statement, whose answer may be fetched from the cursor. Outside of `pipelined` it is executed at once."""
    if (one := _current.get()) is None:
        cursor.execute(sql, parameters)
    else:
        one.send(cursor, sql, parameters)
