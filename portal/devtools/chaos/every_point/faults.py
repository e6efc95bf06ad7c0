"""The kinds of fault, which of them can happen at a place, and a run's planned faults."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from portal.devtools.chaos.every_point.places import Place, PlaceKind


class FaultKind(StrEnum):
    """What goes wrong at a place."""

    KILLED_BEFORE = "killed-before"  # the process dies before the commit or the call
    KILLED_AFTER = "killed-after"  # the commit is made, or the platform did as asked; then the process dies
    AWAY_BEFORE = (
        "database-away-before"  # the transaction is lost; the database is back after SHORT_AWAY seconds
    )
    AWAY_AFTER = "database-away-after"  # it is committed, or the call answered; then the database is away
    AWAY_LONG = "database-away-long"  # as before, for longer than any lease and any patience
    STALLED = "stalled"  # the platform did as asked; the process stands still beyond its lease, another worker works
    TOO_MANY = "429"
    ERROR = "500"
    ERROR_AFTER = "500-after"  # a gateway's answer, though the platform did as asked
    TIMEOUT_BEFORE = "timeout-before"  # the request never arrives
    TIMEOUT_AFTER = "timeout-after"  # the platform did as asked, and its answer is lost
    RESET_AFTER = "reset-after"
    BROKEN_BODY = "broken-body"


SHORT_AWAY, LONG_AWAY = 2.0, 90.0
AT_COMMITS = (
    FaultKind.KILLED_BEFORE,
    FaultKind.KILLED_AFTER,
    FaultKind.AWAY_BEFORE,
    FaultKind.AWAY_AFTER,
    FaultKind.AWAY_LONG,
)
AT_CALLS = (
    FaultKind.KILLED_BEFORE,
    FaultKind.KILLED_AFTER,
    FaultKind.AWAY_AFTER,
    FaultKind.AWAY_LONG,
    FaultKind.STALLED,
    FaultKind.TOO_MANY,
    FaultKind.ERROR,
    FaultKind.ERROR_AFTER,
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.RESET_AFTER,
    FaultKind.BROKEN_BODY,
)
#: What a real process can't hide from who started it: its end, or what the platform says in its place.
IN_REAL_PROCESSES = (
    FaultKind.KILLED_BEFORE,
    FaultKind.KILLED_AFTER,
    FaultKind.TOO_MANY,
    FaultKind.ERROR,
)
#: In pairs, one kind stands for those that look the same to the portal: being killed after one place for being killed
#: before the next, 500 for a time-out before, and a time-out after for a reset and a gateway's 500.
IN_PAIRS = (
    FaultKind.KILLED_AFTER,
    FaultKind.TOO_MANY,
    FaultKind.ERROR,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.BROKEN_BODY,
)
#: After these, the process or the answer of a call under way is gone; an answer that comes too late counts as lost.
LOSES_ANSWER = frozenset({*AT_CALLS, FaultKind.KILLED_BEFORE, FaultKind.AWAY_LONG}) - {
    FaultKind.TOO_MANY,
    FaultKind.AWAY_AFTER,
}


@dataclass(frozen=True)
class Fault:
    """One kind of fault at one place."""

    label: str
    kind: FaultKind

    def __str__(self) -> str:
        return f"--at {self.label!r} --fault {self.kind}"


def faults_at(place: Place, kinds: Iterable[FaultKind] = FaultKind) -> list[Fault]:
    """Return the faults of these kinds that can happen at a place."""
    possible = AT_CALLS if place.kind is PlaceKind.CALL else AT_COMMITS
    return [Fault(place.label, kind) for kind in possible if kind in set(kinds)]
