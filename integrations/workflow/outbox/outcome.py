"""How one try at an effect may end.

A step that performs an effect returns one of these, and `effects.apply_outcome` records it: nothing else finishes,
retries or gives back an effect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

Writes = Callable[[], None]


@dataclass(frozen=True)
class Done:
    """The effect is performed.

    `record` writes what the platform answered, in the same transaction. It is written even if the lease was lost:
    what happened outside is true whoever holds the row.
    """

    note: str = ""
    record: Writes | None = None


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
    """Nobody knows whether the act took place; a person has to look. `also` as for Failed."""

    reason: str
    also: Writes | None = None


class StartedAttempt(Enum):
    """What a retry keeps on record of acts that were started and whose outcome isn't known."""

    NONE = "none"
    EARLIER = "earlier"  # this try certainly had no effect; what was known before it stays
    CURRENT = "current"  # this try may have had an effect


@dataclass(frozen=True)
class Retry:
    """The effect is tried again after `wait`.

    Where `is_counted` is false the row wasn't really tried, so the attempt doesn't count. `restarts_window` restarts
    the time for which it is retried: something that a person must fix kept it from being tried.
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
    """Rows that others change decide: `decide` is called inside the transaction that records what it returns."""

    decide: Callable[[], "Done | Cancelled | Retry"]


Outcome = Done | Cancelled | Failed | Uncertain | Retry | LeaseLost | DecideOnRecording
