"""The database's clock: the one that all processes and nodes share, whatever their own say."""

import time
from datetime import UTC, datetime, timedelta

from django.db import connection

ASK_EVERY = 60.0
PROMPT_SECONDS = 1.0

_asked: tuple[float, datetime] | None = None  # when by `_running`, and what the database said


def now() -> datetime:
    """Return the database's time; it is asked at most once a minute, and seconds are counted in between.

    A node whose clock is minutes off would otherwise take lists for fresh, waits for over and limits for unreached.
    An answer that took long isn't remembered: it doesn't say when within that time it was true.
    """
    global _asked  # noqa: PLW0603
    moment, asked = _running(), _asked
    if asked is not None and 0 <= moment - asked[0] < ASK_EVERY:
        return asked[1] + timedelta(seconds=moment - asked[0])
    said = _ask()
    _asked = (moment, said) if _running() - moment < PROMPT_SECONDS else None
    return said


def _running() -> float:
    """Return for how many seconds the machine has run, asleep or not where the system can tell."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def reset() -> None:
    """Ask the database again next time."""
    global _asked  # noqa: PLW0603
    _asked = None


def _ask() -> datetime:
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp()" if is_postgresql else "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"
        )
        (found,) = cursor.fetchone()
    return found if is_postgresql else datetime.fromisoformat(found).replace(tzinfo=UTC)
