"""The database's clock, writes that are tried again while the database restarts, and SQL of our own."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db import InterfaceError, OperationalError, connection, models, transaction
from django.db.models.expressions import Combinable, DatabaseDefault
from django.db.models.functions import Now

#: The place of a column, and what Django makes of a value of it: a function of value, column and connection.
type Conversion = tuple[int, Callable[[Any, Any, Any], Any], Any]

logger = logging.getLogger(__name__)


# The database's clock, which all processes and nodes share: their own clocks may differ.


QUERY_AGAIN_SECONDS = 60.0
PROMPT_SECONDS = 1.0

#: Seconds of `_uptime`, and the database's time at that moment.
_last_reading: tuple[float, datetime] | None = None


def now() -> datetime:
    """Return the database's time. It is queried at most once a minute; in between, elapsed seconds are added.

    A node that went by its own clock, when that is minutes off, would take old lists for fresh and waits for over.
    A reading that took more than PROMPT_SECONDS isn't kept: at which moment of that time it was read is unknown.
    """
    global _last_reading  # noqa: PLW0603
    uptime, last_reading = _uptime(), _last_reading
    if last_reading is not None and 0 <= uptime - last_reading[0] < QUERY_AGAIN_SECONDS:
        return last_reading[1] + timedelta(seconds=uptime - last_reading[0])
    database_time = _query()
    _last_reading = (uptime, database_time) if _uptime() - uptime < PROMPT_SECONDS else None
    return database_time


def due_after(wait: timedelta) -> Combinable:
    """Return the time after `wait`, for the database to find out when it writes it."""
    # without a wait not `Now() + 0`, which SQLite writes finer than Now() and so a moment later
    return Now() + wait if wait else Now()


MARK_EVERY = timedelta(seconds=10)


def mark_now(row: models.Model, *columns: str, every: timedelta = MARK_EVERY) -> None:
    """Set columns of a row to now; nothing is written while all of them were set less than `every` ago."""
    moment = now()
    marks = [getattr(row, column) for column in columns]
    if all(mark is not None and moment - mark < every for mark in marks):
        return
    for column in columns:
        setattr(row, column, moment)  # noted here first: several threads may hold this object
    type(row)._base_manager.filter(pk=row.pk).update(**dict.fromkeys(columns, Now()))


def _uptime() -> float:
    """Return the seconds since the machine started, including suspended time where the system counts it."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def reset_clock() -> None:
    """Discard the kept reading, so that the next call queries the database."""
    global _last_reading  # noqa: PLW0603
    _last_reading = None


def unix_seconds() -> str:
    """Return the SQL of the database's time in Unix seconds, read anew in each row."""
    if connection.vendor == "postgresql":
        return "extract(epoch from clock_timestamp())"
    return "((julianday('now') - 2440587.5) * 86400.0)"


def _query() -> datetime:
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp()" if is_postgresql else "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"
        )
        (value,) = cursor.fetchone()
    return value if is_postgresql else datetime.fromisoformat(value).replace(tzinfo=UTC)


# Retry a database write while the database restarts: a platform's answer can't be fetched a second time.


#: What the driver raises when the database is unreachable. Other errors mean that the statement itself is wrong.
DATABASE_OUTAGE = (OperationalError, InterfaceError)
DELETION = "a deletion"
#: What the database calls the end of a statement because of another transaction. It is there, and the same succeeds
#: when it is tried again; after a deletion, what is read anew no longer refers to the row that is gone.
CONFLICTS = {
    "40P01": "a deadlock",
    "55P03": "a lock time-out",
    "40001": "a serialization failure",
    "23503": DELETION,
    "SQLITE_CONSTRAINT_FOREIGNKEY": DELETION,
}
#: What the database calls that its disk is full. It answers what is read all the same.
_FULL = ("53100", "SQLITE_FULL")
NO_ROOM = "the database's disk is full"
RETRY_SECONDS = 20.0  # short enough to retry before and after a call within one lease
PAUSE_SECONDS = 0.2


def conflict(error: BaseException) -> str:
    """Return which conflict with another transaction ended a statement, in words; empty for any other error."""
    return CONFLICTS.get(_code(error), "")


def is_full(error: BaseException) -> bool:
    """Whether the database had no room for what was to be written."""
    return _code(error) in _FULL


def trouble(error: BaseException) -> str:
    """Return why a statement couldn't be run, in words."""
    return conflict(error) or (NO_ROOM if is_full(error) else "the database can't be reached")


def _code(error: BaseException) -> str:
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or ""


def with_retry[Outcome](write: Callable[[], Outcome]) -> Outcome:
    """Return what `write` returns; while the database is unreachable, `write` is called again on a new connection.

    After a conflict with another transaction it is called again at once, but after a deletion the error is raised:
    `write` would only refer to the row that is gone once more.

    `write` must be safe to run twice: a commit may have succeeded although the connection broke before the answer.
    The last error is raised after RETRY_SECONDS, and at once inside a transaction, which can't be continued.
    """
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return write()
        except DATABASE_OUTAGE as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            if name := conflict(error):
                logger.warning("%s with another transaction ended a write; it is tried again", name)
                continue
            logger.warning("%s; the write is tried again", trouble(error), exc_info=True)
            connection.close()
            time.sleep(PAUSE_SECONDS)


def trust_connection() -> None:
    """Have the next statement sent without the question before it whether the connection lives, a second round trip.

    Django's documentation has no way to say that.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]


#: A connection has a statement prepared when it runs it for the fourth time.
RUN_BEFORE_PREPARED = 3


# Plans that PostgreSQL keeps.


@contextmanager
def kept_plans() -> Iterator[None]:
    """Have PostgreSQL keep the plan of each statement that runs within, also where connections usually don't.

    For statements that find rows by a key: another value could need another plan of any other statement.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    driver = connection.connection
    threshold, driver.prepare_threshold = driver.prepare_threshold, RUN_BEFORE_PREPARED
    try:
        yield
    finally:
        driver.prepare_threshold = threshold


# SQL of our own: whole rows of many columns, which the ORM takes ten times as long to put together as to ask for, and
# what it can't say in one statement.


def rows_of[Row: models.Model](model: type[Row], where: str, *values: object) -> list[Row]:
    """Return the rows of the model that the condition says, read whole."""
    statement = f'SELECT {columns_of(model)} FROM "{model._meta.db_table}" WHERE {where}'  # noqa: S608
    return rows_from(model, statement, values)


def rows_from[Row: models.Model](model: type[Row], statement: str, values: Iterable[object]) -> list[Row]:
    """Return the rows of the model that the statement answers with, whose columns are those of `columns_of`.

    `Manager.raw` takes longer to find out anew which column is which field than PostgreSQL takes to find the rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [adapted(value) for value in values])
        answer = cursor.fetchall()
    names, conversions = _fields_of(model, connection.vendor)
    rows = []
    for found in answer:
        fields = list(found)
        for place, convert, column in conversions:
            fields[place] = convert(fields[place], column, connection)
        rows.append(model.from_db(connection.alias, names, fields))
    return rows


@cache
def _fields_of(model: type[models.Model], vendor: str) -> tuple[list[str], list[Conversion]]:
    """Return the attributes of a row in the order of its columns, and how such a database's values become theirs."""
    fields = model._meta.concrete_fields
    columns = [field.get_col(model._meta.db_table) for field in fields]
    conversions = [
        (place, convert, column)
        for place, column in enumerate(columns)
        for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection))
    ]
    return [field.attname for field in fields], conversions


@cache
def columns_of(model: type[models.Model]) -> str:
    """Return the names of all columns in SQL: a prepared `*` fails for good once a migration has added one."""
    return ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)


def is_there(model: type[models.Model], where: str, *values: object) -> bool:
    """Whether the model has a row that the condition says."""
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT 1 FROM "{model._meta.db_table}" WHERE {where} LIMIT 1',  # noqa: S608
            [adapted(value) for value in values],
        )
        return cursor.fetchone() is not None


def insert_unless_stored(row: models.Model, *columns: str) -> None:
    """Store a new row unless a row with the same values in these columns is there. The object gets no key.

    Raises IntegrityError when the row breaks another rule; bulk_create() on SQLite would ignore that too.
    """
    stated: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        value = field.value_from_object(row)
        if not field.primary_key and not isinstance(value, DatabaseDefault):
            stated[f'"{field.column}"'] = field.get_db_prep_save(value, connection)
    places = ", ".join(["%s"] * len(stated))
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{row._meta.db_table}" ({", ".join(stated)}) VALUES ({places}) '  # noqa: S608
            f"ON CONFLICT ({', '.join(columns)}) DO NOTHING",
            list(stated.values()),
        )


def locked_row[Row: models.Model](model: type[Row], pk: int) -> Row | None:
    """Return the row, locked until the transaction ends, None when it is gone; rows that refer to it can be inserted.

    Raises TransactionManagementError outside a transaction. SQLite needs no lock: its write transactions run one at a
    time.
    """
    return next(iter(locked_rows(model, "id = %s", pk)), None)


def locked_rows[Row: models.Model](model: type[Row], where: str, *values: object) -> list[Row]:
    """Return the rows of the model that the condition says, locked as `locked_row` does."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a row is locked within a transaction")
    lock = " FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else ""
    return rows_of(model, f"{where}{lock}", *values)


def adapted(value: Any) -> Any:
    """Return a value as a statement of our own is given it."""
    is_time = isinstance(value, datetime)
    return models.DateTimeField().get_db_prep_value(value, connection) if is_time else value


# The keys of rows, as forms and addresses state them.


#: Digits that every database takes for a key.
_MAX_DIGITS = 18


def is_key(text: str) -> bool:
    """Whether the text may be the key of a row."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def keys_of(texts: Iterable[str]) -> list[int]:
    """Return the keys among the texts, in their order."""
    return [int(text) for text in texts if is_key(text)]
