"""Faults on demand: which request goes wrong, how, and whether its effect takes place all the same."""

import random
import re
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import JsonObject

# A caller that gets one of these knows that nothing happened; any other answer leaves it guessing.
DEFINITE_STATUSES = frozenset({400, 401, 403, 404, 409, 422, 429, 503})


class Damage(StrEnum):
    """What becomes of an answer."""

    STATUS = "status"  # an error status comes in its place
    HTML = "html"  # an error page comes in its place
    RESET = "reset"  # the connection is reset
    TIMEOUT = "timeout"  # nothing is sent until the caller gives up
    TRUNCATED = "truncated"  # half of it is sent


#: What a rule can ask for: the damage, and whether the request is carried out first.
KINDS = {
    "status": (Damage.STATUS, False),
    "status_after": (Damage.STATUS, True),
    "html": (Damage.HTML, False),
    "html_after": (Damage.HTML, True),
    "reset_before": (Damage.RESET, False),
    "reset_after": (Damage.RESET, True),
    "timeout_before": (Damage.TIMEOUT, False),
    "timeout_after": (Damage.TIMEOUT, True),
    "truncated": (Damage.TRUNCATED, True),
}


@dataclass(slots=True)
class Fault:
    """What goes wrong, with which requests, and how often: what a rule says in JSON."""

    kind: str
    method: str = ""
    path: str = ""  # a regular expression
    account: str = ""
    probability: float = 1.0
    times: int | None = None  # still to come; None for always
    status: int = 500
    retry_after: float | None = None
    delay_ms: int = 60_000

    @property
    def damage(self) -> Damage:
        """What becomes of the answer."""
        return KINDS[self.kind][0]

    @property
    def is_after(self) -> bool:
        """Whether the request is carried out first."""
        return KINDS[self.kind][1]

    @property
    def is_ambiguous(self) -> bool:
        """Whether the caller can't know if a write took effect."""
        is_definite = self.damage is Damage.STATUS and self.status in DEFINITE_STATUSES
        return self.is_after or not is_definite

    def covers(self, method: str, path: str, account: str) -> bool:
        """Return whether it may happen to such a request, and not often enough yet."""
        return (
            self.times != 0
            and self.method in ("", method)
            and self.account in ("", account)
            and re.search(self.path, path) is not None
        )


class FaultPlan:
    """The faults in force; the same seed and the same order of requests let the same ones happen."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._random = random.Random(0)
        self.faults: list[Fault] = []

    def load(self, document: JsonObject) -> None:
        """Put a seed and a list of rules in force, in place of the earlier ones; raises a 400 HttpError."""
        try:
            faults = [Fault(**rule) for rule in document.get("rules", [])]
        except TypeError as error:
            raise HttpError(400, str(error)) from None
        if not KINDS.keys() >= {fault.kind for fault in faults}:
            raise HttpError(400, f"a rule needs a kind, one of {', '.join(sorted(KINDS))}")
        with self._lock:
            self._random.seed(document.get("seed", 0))
            self.faults = faults

    def draw(self, method: str, path: str, account: str) -> Fault | None:
        """Return what goes wrong with one request: the first fault that covers it and hits."""
        with self._lock:
            for fault in self.faults:
                if fault.covers(method, path, account) and self._random.random() < fault.probability:
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None
