"""What the runs showed: places, runs, and each run in which a promise was broken, with the command that repeats it."""

import json
import resource
import time
from collections import Counter
from dataclasses import dataclass, field

from portal.devtools.chaos.every_point.children import Outcome


@dataclass
class Report:
    """The figures and the failures."""

    places: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    failed: list[Outcome] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    @property
    def holds(self) -> bool:
        """Whether every promise held in every run."""
        return not self.failed

    def add_phase(self, name: str, found: Outcome) -> None:
        """Count the places of a phase, found by running it without faults."""
        self.places.update(place.kind for place in found.places)
        self.add(found)

    def add(self, outcome: Outcome) -> None:
        """Count a run."""
        self.runs += 1
        if outcome.violations or outcome.unreached:
            self.failed.append(outcome)

    def as_text(self, options: str) -> str:
        """Return the report for people; `options` are those that a repetition needs besides."""
        lines = []
        for outcome in self.failed:
            lines.append(_command(outcome, options))
            lines += [f"    {what}" for what in _failures(outcome)]
        counts = ", ".join(f"{count} {kind}s" for kind, count in sorted(self.places.items()))
        lines.append(
            f"{self.places.total()} places ({counts}), {self.runs} runs, {len(self.failed)} failed; "
            f"{self.seconds:.0f} s, {_cpu_seconds():.0f} s of CPU"
        )
        return "\n".join(lines)

    def as_json(self, options: str) -> str:
        """Return the report for programs."""
        return json.dumps(
            {
                "places": self.places,
                "runs": self.runs,
                "failed": {_command(outcome, options): _failures(outcome) for outcome in self.failed},
                "seconds": round(self.seconds),
                "cpu_seconds": round(_cpu_seconds()),
            },
            indent=2,
        )

    @property
    def seconds(self) -> float:
        """How long it has taken until now."""
        return time.perf_counter() - self.started


def _command(outcome: Outcome, options: str) -> str:
    return " ".join(["manage.py chaos --every-point", options, *map(str, outcome.faults)])


def _failures(outcome: Outcome) -> list[str]:
    return [*outcome.violations, *(f"not reached: {fault}" for fault in outcome.unreached)]


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of all runs that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
