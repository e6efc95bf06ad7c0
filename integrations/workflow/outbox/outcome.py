"""How one try at an effect may end.

A step that performs an effect returns one of these, and `effects.apply_outcome` records it: nothing else finishes,
retries or gives back an effect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from integrations.models import Effect
from integrations.workflow.outbox.enqueue import Payload

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
class Cancelled:
    """The effect is no longer wanted. `also` is written in the same transaction, if the lease is still held."""

    reason: str
    also: Writes | None = None


@dataclass(frozen=True)
class Failed:
    """The effect can't succeed and isn't retried. `also` is written in the same transaction, if the lease is held."""

    reason: str
    also: Writes | None = None


@dataclass(frozen=True)
class Uncertain:
    """It isn't known whether the call took effect; a person has to check. `also` as for Failed."""

    reason: str
    also: Writes | None = None


class StartedAttempt(Enum):
    """Which started attempt a retry keeps on record: one whose outcome isn't known."""

    NONE = "none"
    EARLIER = "earlier"  # this try certainly had no effect; an attempt started before it is kept
    CURRENT = "current"  # this try may have had an effect


@dataclass(frozen=True)
class Retry:
    """The effect is tried again after `wait`.

    Unless `is_counted`, the attempt doesn't count, because no call was made. `restarts_window` restarts the retry
    window, because something that a person must fix kept the effect from being tried.
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
    """Lever didn't show what the verdict depends on, which may pass. The row waits to be decided again."""


@dataclass(frozen=True)
class DecideOnRecording:
    """Rows that others may change decide the outcome: `decide` is called in the transaction that records it."""

    decide: Callable[[], "Done | Cancelled | Retry"]


Outcome = Done | Cancelled | Failed | Uncertain | Retry | LeaseLost | DecideOnRecording
