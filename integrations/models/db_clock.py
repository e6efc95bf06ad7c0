"""The database's clock, which all processes and nodes share: their own clocks may differ."""

import time
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

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


def reset() -> None:
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
