"""SQLite's own clock, replaced by Python's: where a test or a demo moves Python's clock, the database follows."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import partial

DJANGO_FORMAT = "%Y-%m-%d %H:%M:%f"

type Value = str | int | float | bytes | None


def follow_python(connection: sqlite3.Connection) -> None:
    """Have the functions by which Django and the portal ask this connection for the time tell Python's."""
    connection.create_function("strftime", -1, _strftime)
    connection.create_function("julianday", -1, partial(_builtin, "julianday"))


def _strftime(*arguments: str) -> Value:
    if arguments[1:] in (("now",), ("NOW",)) and arguments[0] == DJANGO_FORMAT:
        return _now()
    return _builtin("strftime", *arguments)


def _builtin(function: str, *arguments: str) -> Value:
    """Return what SQLite's own function returns, with Python's time for "now"."""
    known = [_now() if str(argument).lower() == "now" else argument for argument in arguments]
    places = ", ".join("?" * len(known))
    with closing(sqlite3.connect(":memory:")) as builtin:
        value: Value = builtin.execute(f"SELECT {function}({places})", known).fetchone()[0]
        return value


def _now() -> str:
    """Return the time as SQLite's `strftime` writes it for Django."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
