"""The budget of one turn of a duty: for how long it may go on, whether it got on, and where its next turn goes on.

A duty whose work may be long is done in parts. After each it tells its budget, which ends the turn when the time is
over or the worker is to stop; what is left is done by the next turn, after what other organizations have to do.
"""

import time
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import datetime
from typing import Any, Self, get_args, get_type_hints

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

    def to_json(self) -> dict[str, object]:
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self | None:
        """Return what was stored; None where a key is missing that has no default, as when nothing was.

        Unknown keys are ignored: another version of the portal may have stored the place. Raises ValueError where the
        text of a time isn't one.
        """
        if any(one.name not in stored and one.default is MISSING for one in fields(cls)):
            return None
        hints = get_type_hints(cls)
        times = {name for name, hint in hints.items() if datetime in (hint, *get_args(hint))}
        return cls(
            **{
                name: datetime.fromisoformat(stored[name]) if name in times and stored[name] else stored[name]
                for name in hints.keys() & stored.keys()
            }
        )


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
