"""How long to wait before the next try, and for how long to go on trying."""

import random
from datetime import timedelta

from integrations.http.errors import PlatformError

FIRST_RETRY = timedelta(seconds=3)
LONGEST_RETRY = timedelta(hours=1)
RETRY_FOR = timedelta(hours=96)
DISCONNECTED_RETRY = timedelta(minutes=10)
#: A 403 or 404 for a candidate or a role may pass: it is believed after these waits.
NOT_SHOWN_WAITS = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
SHORTEST_WAIT = timedelta(seconds=1)


def backoff(attempts: int) -> timedelta:
    """Return the wait after this many attempts: exponential from seconds to an hour, with jitter."""
    wait: timedelta = min(FIRST_RETRY * 2.0 ** min(attempts - 1, 12), LONGEST_RETRY)
    return wait * random.uniform(0.7, 1.3)  # noqa: S311


def wait_after(error: PlatformError, attempts: int) -> timedelta:
    """Return the wait after an error: what the platform asks for, at least a second, else the backoff."""
    if error.retry_after is None:
        return backoff(attempts)
    return max(timedelta(seconds=error.retry_after), SHORTEST_WAIT)


def deferral(error: PlatformError) -> timedelta:
    """Return the wait for a call that was deferred before it was made."""
    return timedelta(seconds=error.retry_after) if error.retry_after else SHORTEST_WAIT


def wait_until_shown(reads: int) -> timedelta | None:
    """Return the wait after Lever showed nothing this many times in a row; None when that is believed."""
    return NOT_SHOWN_WAITS[reads - 1] if reads <= len(NOT_SHOWN_WAITS) else None
