"""How one try at an effect may end: its step returns one of these outcomes, and `outbox.perform` records it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import ClassVar

from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import Payload

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
class DecideOnRecording:
    """Rows that others may change decide the outcome: `decide` is called in the transaction that records it."""

    decide: Callable[[], "Done | Cancelled | Retry | LeaseLost"]


Outcome = Done | Cancelled | Failed | Uncertain | Retry | LeaseLost | DecideOnRecording
