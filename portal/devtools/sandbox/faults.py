"""Faults on demand: which request goes wrong, how, and whether its effect took place all the same."""

import random
import re
from dataclasses import dataclass
from threading import Lock

from portal.devtools.sandbox.http import Refusal
from portal.devtools.sandbox.ids import Json, pick

BEFORE = frozenset({"status", "reset_before", "timeout_before", "html"})
AFTER = frozenset({"status_after", "reset_after", "timeout_after", "html_after", "truncated"})
KINDS = BEFORE | AFTER | {"delay"}
# A caller that gets one of these knows that nothing happened; anything else leaves it guessing.
DEFINITE_STATUSES = frozenset({400, 401, 403, 404, 409, 422, 429, 503})
LONG_DELAY_MS = 3000
HOLD_MS = 60_000


@dataclass(slots=True)
class Fault:
    """What goes wrong with one request."""

    kind: str
    status: int = 500
    retry_after: float | None = None
    delay_ms: int = 0

    @property
    def is_after(self) -> bool:
        """Whether the effect takes place although the answer is lost or wrong."""
        return self.kind in AFTER

    @property
    def is_ambiguous(self) -> bool:
        """Whether the caller can't know if a write took effect."""
        if self.kind == "delay":
            return self.delay_ms >= LONG_DELAY_MS
        return not (self.kind == "status" and self.status in DEFINITE_STATUSES)


@dataclass(slots=True)
class Rule:
    """When a fault strikes."""

    fault: Fault
    method: str
    path: re.Pattern[str]
    account: str
    probability: float
    remaining: int | None
    hits: int = 0

    def covers(self, method: str, path: str, account: str) -> bool:
        """Return whether a request is within this rule's reach and its hits aren't used up."""
        return (
            self.remaining != 0
            and self.method in ("", method)
            and self.account in ("", account)
            and self.path.search(path) is not None
        )

    def describe(self) -> Json:
        """Return the rule as the control API shows it."""
        return {
            "kind": self.fault.kind,
            "method": self.method or None,
            "path": self.path.pattern,
            "account": self.account or None,
            "probability": self.probability,
            "remaining": self.remaining,
            "hits": self.hits,
            "status": self.fault.status,
            "retry_after": self.fault.retry_after,
            "delay_ms": self.fault.delay_ms,
        }


def read_rule(document: object) -> Rule:
    """Return the rule a JSON object describes; raises a 400 Refusal."""
    if not isinstance(document, dict) or document.get("kind") not in KINDS:
        raise Refusal(400, f"a rule needs a kind, one of {', '.join(sorted(KINDS))}")
    kind: str = document["kind"]
    try:
        path = re.compile(pick(document, "path", str, ""))
    except re.error as error:
        raise Refusal(400, f"path is not a regular expression: {error}") from None
    default_status = 502 if kind.startswith("html") else 500
    default_delay = HOLD_MS if kind.startswith("timeout") else 0
    fault = Fault(
        kind,
        pick(document, "status", int, default_status),
        pick(document, "retry_after", int | float, None),  # type: ignore[arg-type]
        pick(document, "delay_ms", int, default_delay),
    )
    return Rule(
        fault,
        pick(document, "method", str, "").upper(),
        path,
        pick(document, "account", str, ""),
        float(pick(document, "probability", int | float, 1.0)),  # type: ignore[arg-type]
        pick(document, "times", int, None),
    )


class FaultPlan:
    """The rules in force; the same seed and the same order of requests give the same faults."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._random = random.Random(0)
        self._rules: list[Rule] = []

    @property
    def is_empty(self) -> bool:
        """Whether no rule is in force."""
        return not self._rules

    def load(self, document: Json) -> None:
        """Put a seed and a list of rules in force, in place of the earlier ones."""
        rules = [read_rule(item) for item in pick(document, "rules", list, [])]
        with self._lock:
            self._random.seed(pick(document, "seed", int, 0))
            self._rules = rules

    def clear(self) -> None:
        """Drop every rule."""
        with self._lock:
            self._rules = []

    def describe(self) -> list[Json]:
        """Return the rules with their hits so far."""
        with self._lock:
            return [rule.describe() for rule in self._rules]

    def draw(self, method: str, path: str, account: str) -> list[Fault]:
        """Return the faults for one request: any delays, then at most one of another kind."""
        drawn: list[Fault] = []
        with self._lock:
            for rule in self._rules:
                if not rule.covers(method, path, account) or self._random.random() >= rule.probability:
                    continue
                rule.hits += 1
                if rule.remaining is not None:
                    rule.remaining -= 1
                drawn.append(rule.fault)
                if rule.fault.kind != "delay":
                    break
        return drawn
