"""Faults on demand: which request goes wrong, how, and whether its effect takes place all the same."""

import random
import re
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import JsonObject, pick, pick_number

# A caller that gets one of these knows that nothing happened; any other answer leaves it guessing.
DEFINITE_STATUSES = frozenset({400, 401, 403, 404, 409, 422, 429, 503})
HOLD_MS = 60_000


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
    """What goes wrong with one request."""

    kind: str
    status: int = 500
    retry_after: float | None = None
    delay_ms: int = HOLD_MS

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


@dataclass(slots=True)
class Rule:
    """Which requests a fault happens to, and how often."""

    fault: Fault
    method: str
    path: re.Pattern[str]
    account: str
    probability: float
    remaining: int | None

    def covers(self, method: str, path: str, account: str) -> bool:
        """Return whether the rule is about such a request and its hits aren't used up."""
        return (
            self.remaining != 0
            and self.method in ("", method)
            and self.account in ("", account)
            and self.path.search(path) is not None
        )


def read_rule(document: object) -> Rule:
    """Return the rule a JSON object describes; raises a 400 HttpError."""
    if not isinstance(document, dict) or document.get("kind") not in KINDS:
        raise HttpError(400, f"a rule needs a kind, one of {', '.join(sorted(KINDS))}")
    try:
        path = re.compile(pick(document, "path", str, ""))
    except re.error as error:
        raise HttpError(400, f"path is not a regular expression: {error}") from None
    damage, _ = KINDS[document["kind"]]
    fault = Fault(
        document["kind"],
        pick(document, "status", int, 502 if damage is Damage.HTML else 500),
        pick_number(document, "retry_after", None),
        pick(document, "delay_ms", int, HOLD_MS),
    )
    return Rule(
        fault,
        pick(document, "method", str, "").upper(),
        path,
        pick(document, "account", str, ""),
        float(pick_number(document, "probability", 1.0)),
        pick(document, "times", int, None),
    )


class FaultPlan:
    """The rules in force; the same seed and the same order of requests give the same faults."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._random = random.Random(0)
        self.rules: list[Rule] = []

    @property
    def is_empty(self) -> bool:
        """Whether no rule is in force."""
        return not self.rules

    def load(self, document: JsonObject) -> None:
        """Put a seed and a list of rules in force, in place of the earlier ones."""
        rules = [read_rule(item) for item in pick(document, "rules", list, [])]
        with self._lock:
            self._random.seed(pick(document, "seed", int, 0))
            self.rules = rules

    def clear(self) -> None:
        """Drop every rule."""
        with self._lock:
            self.rules = []

    def draw(self, method: str, path: str, account: str) -> Fault | None:
        """Return what goes wrong with one request: the fault of the first rule that covers it and hits."""
        with self._lock:
            for rule in self.rules:
                if rule.covers(method, path, account) and self._random.random() < rule.probability:
                    if rule.remaining is not None:
                        rule.remaining -= 1
                    return rule.fault
        return None
