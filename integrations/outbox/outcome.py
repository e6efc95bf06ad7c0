"""How one try at an effect may end, and how any step on a claimed row is run.

A step that performs an effect returns one of these outcomes, and `effects.perform` records it.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import ClassVar

from integrations.http.session import PlatformError
from integrations.outbox.enqueue import Payload
from integrations.outbox.models import Effect
from integrations.store.database import DATABASE_OUTAGE, DELETION, conflict
from integrations.store.leasing import masked_traceback

logger = logging.getLogger(__name__)

Writes = Callable[[], None]


@dataclass(frozen=True)
class Done:
    """The effect is performed.

    `unwritten` says why nothing had to be written. `record` writes what the platform answered, in the same
    transaction. It is written even if the lease was lost: the call was made, whichever worker holds the row now.
    `written` are the words that Lever was given; they are kept with the effect.
    """

    unwritten: Effect.EndReason | None = None
    record: Writes | None = None
    written: Payload | None = None


@dataclass(frozen=True)
class Ended:
    """The effect ends so, and isn't retried. `also` is written in the same transaction, if the lease is held."""

    state: ClassVar[Effect.State]
    reason: str
    also: Writes | None = None


class Cancelled(Ended):
    """The effect is no longer wanted."""

    state = Effect.State.CANCELLED


class Failed(Ended):
    """The effect can't succeed."""

    state = Effect.State.FAILED


class Uncertain(Ended):
    """It isn't known whether the call took effect; a person has to check."""

    state = Effect.State.UNCERTAIN


class StartedAttempt(Enum):
    """Which started attempt a retry keeps on record: one whose outcome isn't known."""

    NONE = "none"
    EARLIER = "earlier"  # this try certainly had no effect; an attempt started before it is kept
    CURRENT = "current"  # this try may have had an effect


@dataclass(frozen=True)
class Retry:
    """The effect is tried again after `wait`.

    Unless `is_counted`, the attempt doesn't count, because no call was made. `restarts_window` begins the retry window
    anew after the wait, because a person or a rule kept the effect from being tried.
    """

    reason: str
    wait: timedelta
    started_attempt: StartedAttempt = StartedAttempt.EARLIER
    is_counted: bool = True
    restarts_window: bool = False


@dataclass(frozen=True)
class LeaseLost:
    """Another worker holds the row now. Nothing is written."""


@dataclass(frozen=True)
class AskAgain:
    """Lever didn't show what the verdict depends on, or it has changed since. The row waits to be decided again."""


@dataclass(frozen=True)
class DecideOnRecording:
    """Rows that others may change decide the outcome: `decide` is called in the transaction that records it."""

    decide: Callable[[], "Done | Cancelled | Retry"]


Outcome = Done | Cancelled | Failed | Uncertain | Retry | LeaseLost | DecideOnRecording


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
