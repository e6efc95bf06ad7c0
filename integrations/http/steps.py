"""How a step on a claimed row is run where it may call a platform, and when it is tried again."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from integrations.http.session import PlatformError
from integrations.store.database import DATABASE_OUTAGE, DELETION, conflict
from integrations.store.leasing import masked_traceback

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Crash:
    """A bug ended the step, or a deletion, which a bug could cause each time: the reason in words, and the place.

    It never has the error's message, which may quote personal data.
    """

    reason: str
    traceback: str


@dataclass(frozen=True)
class Conflict:
    """Another transaction ended the step, the reason in words. Done again, it most likely succeeds."""

    reason: str


def run_step[Result](what: str, step: Callable[[], Result]) -> Result | PlatformError | Conflict | Crash:
    """Return what the step returns, the error a platform answered with, a conflict, or the crash that ended it.

    A bug on one row must not stop the others: it is logged with `what` the step works on. An outage of the database is
    raised: the lease expires, and another worker takes the row when the database is back.
    """
    try:
        return step()
    except PlatformError as error:
        return error
    except Exception as error:
        if name := conflict(error):
            logger.warning("%s: %s with another transaction ended the step; it is done again", what, name)
            reason = f"It met {name} with another transaction."
            return Crash(reason, masked_traceback(error)) if name == DELETION else Conflict(reason)
        if isinstance(error, DATABASE_OUTAGE):
            raise
        crash = Crash(f"The portal failed on this: {type(error).__name__}.", masked_traceback(error))
        logger.error("%s: the portal failed\n%s", what, crash.traceback)
        return crash


FIRST_RETRY = timedelta(seconds=3)
LONGEST_RETRY = timedelta(hours=1)
RETRY_FOR = timedelta(hours=96)  # in words: RETRY_FOR_IN_WORDS in core/vocabulary.py
DISCONNECTED_RETRY = timedelta(minutes=10)
#: A 403 or 404 for a candidate or a role may pass: it is believed after these waits.
NOT_SHOWN_WAITS = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
#: A webhook can arrive before Lever shows the new stage: the stage from before is believed after these waits.
LATE_STAGE_WAITS = (timedelta(seconds=1), timedelta(seconds=3), timedelta(seconds=10))
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


def wait_until_shown(reads: int, waits: Sequence[timedelta] = NOT_SHOWN_WAITS) -> timedelta | None:
    """Return the wait after Lever showed nothing this many times in a row; None when that is believed."""
    return waits[reads - 1] if reads <= len(waits) else None
