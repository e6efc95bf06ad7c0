"""What the runs showed: places, runs, and each run in which a promise was broken, with the command that repeats it."""

import json
import resource
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from portal.devtools.chaos.every_point.faults import Fault, Place
from portal.devtools.chaos.every_point.options import Part


@dataclass(frozen=True)
class Outcome:
    """What became of one run."""

    faults: tuple[Fault, ...]
    violations: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    #: The kinds of effects that were done and the acts on record, where nothing went wrong.
    performed: frozenset[str] = frozenset()
    #: Whether a fault didn't happen: threads, and PostgreSQL's order of equals, don't reach the same places each time.
    has_missed: bool = False


@dataclass
class PartReport:
    """The figures and the failures of one part."""

    part: Part
    places: list[Place] = field(default_factory=list)
    runs: int = 0
    failed: dict[str, list[str]] = field(default_factory=dict)
    performed: set[str] = field(default_factory=set)
    missed: int = 0

    def add_places(self, places: Iterable[Place]) -> None:
        """Keep the places of a phase, found by running it without faults."""
        self.places += places

    @property
    def counts(self) -> Counter[str]:
        """How many places there are of each kind."""
        return Counter(str(place.kind) for place in self.places)

    def add(self, outcome: Outcome) -> str:
        """Count a run; return the lines about it if a promise was broken, an empty text otherwise."""
        self.runs += 1
        self.performed |= outcome.performed
        self.missed += outcome.has_missed
        if not outcome.violations:
            return ""
        command = f"manage.py chaos --every-point {self.part.job_options} {_options(outcome.faults)}"
        self.failed[command.rstrip()] = list(outcome.violations)
        return "\n".join([command, *(f"    {what}" for what in outcome.violations)])


@dataclass
class Report:
    """All parts."""

    parts: list[PartReport] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    @property
    def holds(self) -> bool:
        """Whether every promise held in every run."""
        return not any(part.failed for part in self.parts)

    def as_text(self) -> str:
        """Return the report for people."""
        lines = []
        for part in self.parts:
            for command, violations in part.failed.items():
                lines += [command, *(f"    {what}" for what in violations)]
        for part in self.parts:
            counts = ", ".join(f"{count} {kind}s" for kind, count in sorted(part.counts.items()))
            lines.append(
                f"{part.part}: {len(part.places)} places ({counts}), {part.runs} runs, {len(part.failed)} failed"
                + (f", {part.missed} without their fault" if part.missed else "")
            )
        lines.append(f"{time.perf_counter() - self.started:.0f} s, {_cpu_seconds():.0f} s of CPU")
        return "\n".join(lines)

    def as_json(self) -> str:
        """Return the report for programs."""
        parts = {
            str(part.part): {
                "counts": part.counts,
                "places": [place.label for place in part.places],
                "runs": part.runs,
                "failed": part.failed,
                "performed": sorted(part.performed),
                "missed": part.missed,
            }
            for part in self.parts
        }
        seconds = round(time.perf_counter() - self.started)
        return json.dumps(
            {"parts": parts, "seconds": seconds, "cpu_seconds": round(_cpu_seconds())}, indent=2
        )


def _options(faults: Iterable[Fault]) -> str:
    return " ".join(map(str, faults))


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of all runs that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
