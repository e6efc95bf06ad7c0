"""The options of `chaos --every-point`, and the report: places, runs, and each run in which a promise was broken."""

import json
import os
import resource
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from portal.devtools.chaos.every_point.faults import Fault, FaultKind, Place
from portal.devtools.chaos.every_point.jobs import JOBS
from portal.devtools.chaos.run import POSTGRESQL


@dataclass(frozen=True)
class Part:
    """One part: a job with one fault at each place, or every pair of two, or a sample of kills in real processes."""

    job: str
    has_pairs: bool = False
    is_real: bool = False

    def __str__(self) -> str:
        """The options that choose this part."""
        return self.job_options + (" --pairs" if self.has_pairs else "")

    @property
    def job_options(self) -> str:
        """The options that choose its job, for the repetition of one run."""
        return f"--job {self.job}" + (" --real" if self.is_real else "")

    @property
    def has_processes(self) -> bool:
        """Whether the portal's processes are real ones, which reach the platforms over sockets."""
        return self.is_real or JOBS[self.job].in_drains


#: Every job with one fault at each place of it.
ALL_JOBS = tuple(map(Part, JOBS))
NIGHTLY = (
    *ALL_JOBS,
    Part("invitation", has_pairs=True),
    Part("main", is_real=True),
)


QUICK_SAMPLE = 200


@dataclass(frozen=True)
class EveryPointOptions:
    """Which job, with which faults."""

    parts: tuple[Part, ...]
    kinds: tuple[FaultKind, ...]
    faults: tuple[Fault, ...]  # exactly these, in this order; empty for all
    processes: int
    seed: int
    database_url: str
    #: One fault in so many is tried; which, the seed says.
    sample: int

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        """Add the options to a command."""
        group = parser.add_argument_group("every point")
        group.add_argument(
            "--every-point", action="store_true", help="instead: jobs, each once for every place and fault"
        )
        group.add_argument("--nightly", action="store_true", help="everything; without options, too")
        group.add_argument(
            "--quick",
            action="store_true",
            help=f"every job, or the chosen one, with one fault in {QUICK_SAMPLE}",
        )
        group.add_argument("--sample", type=int, default=0, metavar="N", help="only one fault in N")
        group.add_argument("--job", choices=JOBS, help="one job alone")
        group.add_argument(
            "--real", action="store_true", help="a sample of the places, where SIGKILL ends real processes"
        )
        group.add_argument("--pairs", action="store_true", help="every pair of two faults")
        group.add_argument(
            "--at", action="append", default=[], metavar="LABEL", help="only this place; twice for two faults"
        )
        group.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="KIND",
            help=f"only this kind, or those that begin so: {', '.join(FaultKind)}",
        )
        group.add_argument(
            "--processes", type=int, default=os.cpu_count() or 1, help="runs at the same time (default: CPUs)"
        )

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> Self:
        """Return the options a command was given. Raises ValueError with the fix."""
        labels, words = arguments["at"], arguments["fault"]
        for word in words:
            if not _kinds(word):
                raise ValueError(f"--fault {word} is not one of {', '.join(FaultKind)}.")
        if labels and len(labels) != len(words):
            raise ValueError("Each --at needs its --fault.")
        faults = tuple(
            Fault(label, _kinds(word)[0]) for label, word in zip(labels, words, strict=bool(labels))
        )
        kinds = tuple(kind for word in words for kind in _kinds(word)) or tuple(FaultKind)
        url = arguments["database_url"]
        if url and not url.startswith(POSTGRESQL):
            raise ValueError("--database-url takes a PostgreSQL address; without it the runs are on SQLite.")
        sample = arguments["sample"] or (QUICK_SAMPLE if arguments["quick"] else 1)
        return cls(
            _parts(arguments),
            kinds,
            faults,
            max(1, arguments["processes"]),
            arguments["seed"],
            url,
            max(1, sample),
        )


def _parts(arguments: Mapping[str, Any]) -> tuple[Part, ...]:
    if arguments["nightly"] or not any(arguments[name] for name in ("job", "pairs", "real", "at")):
        return ALL_JOBS if arguments["quick"] else NIGHTLY
    job = arguments["job"] or ("invitation" if arguments["pairs"] else "main")
    return (Part(job, arguments["pairs"], arguments["real"]),)


def _kinds(word: str) -> list[FaultKind]:
    """Return the kind of that name, or else those whose names begin with it."""
    return [kind for kind in FaultKind if kind == word] or [
        kind for kind in FaultKind if kind.startswith(word)
    ]


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
