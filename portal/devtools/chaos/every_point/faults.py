"""The kinds of fault, which of them can happen at a place, and a run's planned faults."""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import FrameType

from django.conf import settings

MODELS = "models/"


class PlaceKind(StrEnum):
    """What happens there."""

    CALL = "call"
    COMMIT = "commit"


@dataclass(frozen=True)
class Place:
    """One commit or call of the job."""

    label: str
    kind: PlaceKind


class Trace:
    """The places that a run reached, in order."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self._counts: Counter[str] = Counter()

    def reach(self, kind: PlaceKind, name: str) -> Place:
        """Record that the run is at a place, and return it with its number."""
        self._counts[name] += 1
        place = Place(f"{name} #{self._counts[name]}", kind)
        self.places.append(place)
        return place


def name_of_commit() -> str:
    """Return the name of the commit that is being made: the function of the product that makes it.

    Where that is a method of a model, which many share, the function that called the model is named first.
    """
    inner = outer = ""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (not outer or outer.startswith(MODELS)):
        path = _path_in_product(frame.f_code.co_filename)
        if path:
            outer = f"{path}:{frame.f_code.co_qualname}"
            inner = inner or outer
        frame = frame.f_back
    if inner == outer:
        return f"commit in {outer or 'Django'}"
    return f"commit in {outer} ({inner.rpartition(':')[2]})"


@cache
def _path_in_product(filename: str) -> str:
    """Return the path of a module below `integrations`, empty for other modules."""
    product = settings.BASE_DIR / "integrations"
    path = Path(filename)
    return str(path.relative_to(product)) if path.is_relative_to(product) else ""


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
