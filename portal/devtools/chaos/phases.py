"""The phases of a run, one after the other, and how webhooks were answered in each."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from portal.devtools.sandbox.values import JsonObject

ANSWERS = frozenset({200, 202, 503})
MS = 1000


@dataclass(frozen=True)
class Phase:
    """One phase; its times are Unix seconds."""

    name: str
    began: float
    ended: float

    def includes(self, at: float) -> bool:
        """Whether a moment lies in it."""
        return self.began <= at < self.ended

    def answers(self, attempts: Sequence[JsonObject]) -> dict[str, int]:
        """Return how many webhooks got which answer, and how long the slowest took."""
        chosen = [one for one in attempts if self.includes(one["at"] / MS)]
        counts = Counter(_answer(one) for one in chosen)
        return {
            **dict(sorted(counts.items())),
            "ms_at_most": max((one["duration_ms"] for one in chosen), default=0),
        }


class Phases(list[Phase]):
    """The phases so far."""

    def __init__(self, log: Callable[[str], object]) -> None:
        super().__init__()
        self._log = log

    @contextmanager
    def phase(self, name: str, stay: float) -> Iterator[None]:
        """Measure a phase: what the block does, and so many seconds of work in what it has reached."""
        began = time.time()
        yield
        took = time.time() - began
        time.sleep(stay)
        self._log(f"{name}: {took:.1f} s")
        self.append(Phase(name, began, time.time()))


def wrong_answers(attempts: Sequence[JsonObject]) -> list[str]:
    """Return the answers that no webhook may get, or the errors in place of one."""
    return [_answer(one) for one in attempts if one["status"] not in ANSWERS]


def _answer(attempt: JsonObject) -> str:
    return str(attempt["status"] or attempt["error"])
