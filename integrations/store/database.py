"""The database's clock, which all nodes share, and writes that are tried again while the database restarts."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

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


def _uptime() -> float:
    """Return the seconds since the machine started, including suspended time where the system counts it."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def reset_clock() -> None:
    """Discard the kept reading, so that the next call queries the database."""
    global _last_reading  # noqa: PLW0603
    _last_reading = None


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
#: What PostgreSQL calls the end of a statement because of another transaction. The database is there, and the same
#: succeeds when it is tried again.
CONFLICTS = {"40P01": "a deadlock", "55P03": "a lock time-out", "40001": "a serialization failure"}
RETRY_SECONDS = 20.0  # short enough to retry before and after a call within one lease
PAUSE_SECONDS = 0.2


def conflict(error: BaseException) -> str:
    """Return which conflict with another transaction ended a statement, in words; empty for any other error."""
    return CONFLICTS.get(getattr(error.__cause__, "sqlstate", None) or "", "")


def with_retry[Outcome](write: Callable[[], Outcome]) -> Outcome:
    """Return what `write` returns; while the database is unreachable, `write` is called again on a new connection.

    After a conflict with another transaction it is called again at once.

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
            logger.warning("the database is unreachable; retrying the write", exc_info=True)
            connection.close()
            time.sleep(PAUSE_SECONDS)


# Plans that PostgreSQL keeps.


#: A connection has a statement prepared when it runs it for the fourth time.
RUN_BEFORE_PREPARED = 3


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


# Run something again when its connection has ended meanwhile.


def on_a_live_connection[Outcome](run: Callable[[], Outcome]) -> Outcome:
    """Return what `run` returns; when its connection proves to have ended meanwhile, it is called on a new one.

    `run` must be safe to run twice. Inside a transaction, which can't be continued, the error is raised.
    """
    try:
        return run()
    except (*DATABASE_OUTAGE, InternalError):
        if connection.connection is None or connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return run()
