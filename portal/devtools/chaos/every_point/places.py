"""The places at which something can go wrong: every commit and every call, found by running.

A place is the n-th occurrence of a call (`POST /api/assessments #1`) or of a commit by one function of the product
(`commit in workflow/effects/perform.py:_record #3`). A statement that writes outside a transaction is a commit.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable
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
        self.on_reach: Callable[[PlaceKind, str], object] | None = None
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reach(self, kind: PlaceKind, name: str) -> Place:
        """Record that the run is at a place, and return it with its number."""
        with self._lock:  # a drain has threads
            if self.on_reach is not None:
                self.on_reach(kind, name)
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
