"""What every chaos run has: the promises that it checks, the table of what came of it, and what it is given."""

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import Processes
from portal.devtools.demo.environment import DemoEnvironment


class Violation(StrEnum):
    """A promise that wasn't kept."""

    # about one candidate
    INVITED_TWICE = "invited_twice"
    LOST = "lost"
    UNSETTLED = "unsettled"
    UNEXPLAINED = "unexplained"
    UNRESOLVED = "unresolved"
    ACCEPTED_WITHOUT_ROW = "accepted_without_a_row"
    FEEDBACK_TWICE = "feedback_twice"
    FEEDBACK_MISSING = "feedback_missing"
    FEEDBACK_WRONG = "feedback_wrong"
    TAGS_WRONG = "tags_wrong"
    LINKS_WRONG = "links_wrong"
    FILES_WRONG = "files_wrong"
    # about a whole run
    NOT_AT_REST = "not_at_rest"
    SWEEP_INCOMPLETE = "sweep_incomplete"
    WRONG_ANSWERS = "wrong_answers"
    SLOW = "slow"
    SLOW_WITHOUT_REDIS = "slow_without_redis"
    LATE_AFTER_DATABASE = "late_after_the_database"
    LATE_AFTER_IDLE_KILL = "late_after_idle_kill"
    LATE_AFTER_GROUP_KILL = "late_after_group_kill"
    LATE_AFTER_TERM = "late_after_term"
    BEGUN_AFTER_TERM = "begun_after_term"
    CHANGED_AFTER_LEASE = "changed_after_lease"
    FORGERY_ACCEPTED = "forgery_accepted"
    FORGERY_STORED = "forgery_stored"
    TIMING_MEASURABLE = "timing_measurable"


@dataclass
class Verification:
    """Counts of what was seen, and which cases broke which promise."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: dict[Violation, list[str]] = field(default_factory=dict)

    def record_violation(self, violation: Violation, *cases: str) -> None:
        """Note the cases, mostly opportunity ids, in which a promise wasn't kept; without cases it was."""
        if cases:
            self.broken.setdefault(violation, []).extend(cases)

    def record_rows_not_at_rest(self, count: int) -> None:
        """Note that rows still waited for a worker at the end, if there were any."""
        if count:
            self.record_violation(Violation.NOT_AT_REST, f"{count} rows")

    def number_of(self, violation: Violation) -> int:
        """Return how often a promise wasn't kept."""
        return len(self.broken.get(violation, []))

    def merge(self, other: "Verification") -> None:
        """Add another organization's verification."""
        self.counts.update(other.counts)
        for violation, cases in other.broken.items():
            self.record_violation(violation, *cases)


MOST_CASES = 5


@dataclass
class Table:
    """Named figures, and the promises that were broken."""

    title: str
    figures: Mapping[str, object] = field(default_factory=dict)
    broken: Mapping[Violation, Sequence[str]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether no promise was broken."""
        return not self.broken

    def as_json(self) -> str:
        """Return the table for programs."""
        return json.dumps(
            {"run": self.title, **self.figures, "broken": self.broken, "holds": self.holds},
            default=str,
            indent=2,
        )

    def as_text(self) -> str:
        """Return the table for people."""
        width = max(len(name) for name in self.figures)
        lines = [self.title, ""]
        lines += [
            f"  {name.replace('_', ' '):<{width}}  {_as_text(value)}" for name, value in self.figures.items()
        ]
        lines.append("")
        for promise, cases in self.broken.items():
            some = ", ".join(cases[:MOST_CASES]) + (" …" if len(cases) > MOST_CASES else "")
            lines.append(f"  BROKEN  {promise.replace('_', ' ')}: {len(cases)} ({some})")
        lines.append("  Every promise held." if self.holds else "  Promises were broken.")
        return "\n".join(lines)


def _as_text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


class Run(ABC):
    """One of the runs."""

    def __init__(
        self,
        environment: DemoEnvironment,
        processes: Processes,
        options: Options,
        log: Callable[[str], object],
    ) -> None:
        self._environment = environment
        self._lever = environment.lever
        self._codescreen = environment.codescreen
        self._processes = processes
        self._options = options
        self._log = log
        self._prepare()

    def _prepare(self) -> None:  # noqa: B027 - not every run has more to prepare
        """Prepare the run, once everything is started and connected."""

    @abstractmethod
    def run(self) -> Table:
        """Do what the run is about and return the figures. Raises RunFailed."""
