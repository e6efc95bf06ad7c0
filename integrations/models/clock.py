"""The database's clock: the one that all processes and nodes share, whatever their own say."""

import time
from datetime import UTC, datetime, timedelta

from django.db import connection

ASK_EVERY = 60.0

_asked: tuple[float, datetime] | None = None  # when by our monotonic clock, and what the database said


def now() -> datetime:
    """Return the database's time; it is asked at most once a minute, and seconds are counted in between.

    A node whose clock is minutes off would otherwise take lists for fresh, waits for over and limits for unreached.
    """
    global _asked  # noqa: PLW0603
    moment = time.monotonic()
    if _asked is None or not 0 <= moment - _asked[0] < ASK_EVERY:
        _asked = moment, _ask()
    return _asked[1] + timedelta(seconds=moment - _asked[0])


def forget() -> None:
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
