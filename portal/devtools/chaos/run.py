"""What every chaos run has: the promises that it checks, and the table of what came of it."""

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
    ACCEPTED_WITHOUT_ROW = "accepted_without_a_row"
    FEEDBACK_TWICE = "feedback_twice"
    FEEDBACK_MISSING = "feedback_missing"
    FEEDBACK_WRONG = "feedback_wrong"
    TAGS_WRONG = "tags_wrong"
    LINKS_WRONG = "links_wrong"
    FILES_WRONG = "files_wrong"
    # about a whole run
    NOT_AT_REST = "not_at_rest"
    WRONG_ANSWERS = "wrong_answers"
    LATE_AFTER_TERM = "late_after_term"


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

    def numbers_of(self, *violations: Violation) -> dict[str, int]:
        """Return how often each of these promises wasn't kept, by its name."""
        return {str(violation): len(self.broken.get(violation, [])) for violation in violations}


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

    @abstractmethod
    def run(self) -> Table:
        """Do what the run is about and return the figures. Raises RunFailed."""
