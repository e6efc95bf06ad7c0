"""What every job showed: its places, its runs, and each run in which a promise was broken."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.devtools.chaos.every_point.faults import Fault, Place


@dataclass(frozen=True)
class Outcome:
    """What became of one run."""

    faults: tuple[Fault, ...]
    violations: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    #: The kinds of effects that were done and the acts on record, where nothing went wrong.
    performed: frozenset[str] = frozenset()
    #: Whether a fault didn't happen: PostgreSQL's order of equals doesn't lead to the same places each time.
    has_missed: bool = False


@dataclass
class JobReport:
    """The figures and the failures of one job."""

    job: str
    #: How many places there are of each kind.
    places: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    #: What broke, by the command that repeats the run.
    failed: dict[str, list[str]] = field(default_factory=dict)
    performed: set[str] = field(default_factory=set)
    missed: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count a run."""
        self.runs += 1
        self.performed |= outcome.performed
        self.missed += outcome.has_missed
        if outcome.violations:
            command = ["manage.py chaos --every-point --job", self.job, *map(str, outcome.faults)]
            self.failed[" ".join(command)] = list(outcome.violations)

    def as_text(self) -> str:
        """Return the failures and the figures for people."""
        lines = [line for command, violations in self.failed.items() for line in (command, *violations)]
        counts = ", ".join(f"{count} {kind}s" for kind, count in sorted(self.places.items()))
        lines.append(f"{self.job}: {counts}, {self.runs} runs, {len(self.failed)} failed")
        if self.missed:
            lines.append(f"{self.missed} runs without their fault")
        return "\n    ".join(lines)


def as_json(reports: Mapping[str, JobReport]) -> str:
    """Return all reports for programs."""
    return json.dumps({job: vars(one) for job, one in reports.items()}, default=sorted, indent=2)
