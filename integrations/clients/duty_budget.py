"""The budget of one turn of a duty: for how long it may go on, whether it got on, and where its next turn goes on.

A duty whose work may be long is done in parts. After each it tells its budget, which ends the turn when the time is
over or the worker is to stop; what is left is done by the next turn, after what other organizations have to do.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Self

from integrations import stop_signal
from integrations.clients.call_window import AGAIN_AFTER_SECONDS, STOPPING
from integrations.http.session import CallDeferred
from integrations.queue.models.duty_run import DutyRun
from integrations.store.leasing import RENEW_AFTER_SECONDS, TAKEN_OVER

#: A turn begins no part and no call after so long.
TURN_SECONDS = 30.0
TURN_IS_OVER = "There is more to do than fits one turn; it goes on in a moment."
NOTHING_DONE = "The time of a turn was over before anything was done."


@dataclass(frozen=True)
class Place:
    """Where a turn has got to, as a duty keeps it: its fields hold what JSON does, or times."""

    #: The fields that hold times.
    TIMES: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_place(cls, place: Mapping[str, Any]) -> Self | None:
        """Return the place where the last turn ended, None where there is none."""
        if not place:
            return None
        stored = {item.name: place[item.name] for item in fields(cls)}
        return cls(
            **stored | {name: datetime.fromisoformat(stored[name]) for name in cls.TIMES if stored[name]}
        )

    def to_place(self) -> dict[str, object]:
        """Return it as the duty keeps it."""
        return asdict(self) | {name: at.isoformat() for name in self.TIMES if (at := getattr(self, name))}


class Budget:
    """What one turn of a duty may take. Without a run it has no end: somebody waits for the result."""

    def __init__(self, run: DutyRun | None = None, seconds: float | None = None) -> None:
        self._run = run
        allowed = seconds if seconds is not None else TURN_SECONDS if run else float("inf")
        self.ends_at = time.monotonic() + allowed
        self._renewed_at = time.monotonic()
        #: Where the turn before ended; empty when this is the first.
        self.place: Mapping[str, object] = dict(run.place) if run else {}
        #: Whether this turn did something that the next one needn't do again.
        self.got_on = False

    def part_done(self, place: Mapping[str, object] | None = None) -> None:
        """Note that something is done that stays done, and the place from which the next turn is to go on, if given.

        Raises CallDeferred when the turn is over.
        """
        self.got_on = True
        if place is not None:
            self.place = dict(place)
        self.require()

    def require(self) -> None:
        """Renew the lease in time. Raises CallDeferred when the turn is over, or another worker has taken over."""
        if stop_signal.is_requested():
            raise CallDeferred(AGAIN_AFTER_SECONDS, STOPPING)
        now = time.monotonic()
        if now > self.ends_at:
            raise CallDeferred(AGAIN_AFTER_SECONDS, TURN_IS_OVER if self.got_on else NOTHING_DONE)
        if self._run is not None and now - self._renewed_at >= RENEW_AFTER_SECONDS:
            self._renewed_at = now
            if not self._run.keep(self.place):
                raise CallDeferred(AGAIN_AFTER_SECONDS, TAKEN_OVER)
