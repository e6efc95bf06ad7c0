"""PostgreSQL's own clock, replaced by Python's: where a run moves Python's clock, the database follows.

In a database that was made for it, functions of a schema that is searched before the catalog take the place of those
by which Django and the portal ask for the time. They tell what the connection was told last: it is told before each
statement that may ask.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

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


def follow_python(wrapper: BaseDatabaseWrapper) -> None:
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
