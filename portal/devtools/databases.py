"""Databases of a run's own, on a PostgreSQL server, and databases that tell a moved time."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql


def create(server_url: str, name: str, template: str = "template1") -> str:
    """Create a database, as a copy of `template`, to which nobody may be connected; return its URL.

    Raises psycopg.Error.
    """
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _on_server(server_url, statement.format(sql.Identifier(name), sql.Identifier(template)))
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop(server_url: str, name: str) -> None:
    """Remove a database, even while others are connected to it. Raises psycopg.Error."""
    _on_server(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_all(server_url: str, name: str) -> None:
    """Remove a database, and those whose names begin with its name and `_`. Raises psycopg.Error."""
    with psycopg.connect(server_url) as reader:
        names = reader.execute(
            "SELECT datname FROM pg_database WHERE datname = %s OR starts_with(datname, %s)",
            [name, f"{name}_"],
        ).fetchall()
    for (found,) in names:
        drop(server_url, found)


def _on_server(server_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(server_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute(statement)


_SCHEMA, _VARIABLE = "pretend_clock", "pretend_clock.now"
_FUNCTIONS = ("now", "statement_timestamp", "transaction_timestamp", "clock_timestamp")
#: Statements that may ask for the time: by a function, or by a column's default.
_ASKS = re.compile(r"\bINSERT\b|\bnow\(|_timestamp\(", re.IGNORECASE)
_TELL = f"SELECT set_config('{_VARIABLE}', %s, false)"


def prepare(database_url: str) -> None:
    """Make the functions in a database; before its tables, whose columns' defaults use them. Raises psycopg.Error."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {_SCHEMA}")
        for name in _FUNCTIONS:
            connection.execute(
                f"CREATE FUNCTION {_SCHEMA}.{name}() RETURNS timestamptz LANGUAGE sql STABLE "
                f"AS $$ SELECT pg_catalog.current_setting('{_VARIABLE}')::timestamptz $$"
            )


def postgresql_follows_python(wrapper: BaseDatabaseWrapper) -> None:
    """Have a new connection to such a database tell Python's time."""
    with wrapper.cursor() as cursor:
        cursor.execute(f"SET search_path = public, {_SCHEMA}, pg_catalog")
        cursor.execute(_TELL, [_now()])
    if _execute not in wrapper.execute_wrappers:
        wrapper.execute_wrappers.append(_execute)


def leave(wrapper: BaseDatabaseWrapper) -> None:
    """Tell a connection no time any more. Its session keeps what it was told last."""
    if _execute in wrapper.execute_wrappers:
        wrapper.execute_wrappers.remove(_execute)


def _execute(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
    if _ASKS.search(sql):
        # in a transaction that has failed, the statement itself fails
        raw = context["connection"].connection
        if raw.info.transaction_status != psycopg.pq.TransactionStatus.INERROR:
            raw.execute(_TELL, [_now()])
    return execute(sql, parameters, many, context)


def _now() -> str:
    return datetime.now(UTC).isoformat()


DJANGO_FORMAT = "%Y-%m-%d %H:%M:%f"

type Value = str | int | float | bytes | None


def sqlite_follows_python(connection: sqlite3.Connection) -> None:
    """Have the functions by which Django and the portal ask this connection for the time tell Python's."""
    connection.create_function("strftime", -1, _strftime)
    connection.create_function("julianday", -1, partial(_builtin, "julianday"))


def _strftime(*arguments: str) -> Value:
    if arguments[1:] in (("now",), ("NOW",)) and arguments[0] == DJANGO_FORMAT:
        return _sqlite_now()
    return _builtin("strftime", *arguments)


def _builtin(function: str, *arguments: str) -> Value:
    """Return what SQLite's own function returns, with Python's time for "now"."""
    known = [_sqlite_now() if str(argument).lower() == "now" else argument for argument in arguments]
    places = ", ".join("?" * len(known))
    with closing(sqlite3.connect(":memory:")) as builtin:
        value: Value = builtin.execute(f"SELECT {function}({places})", known).fetchone()[0]
        return value


def _sqlite_now() -> str:
    """Return the time as SQLite's `strftime` writes it for Django."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
