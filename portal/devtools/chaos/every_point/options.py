"""The options of `chaos --every-point`."""

import os
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from portal.devtools.chaos.every_point.faults import Fault, FaultKind
from portal.devtools.chaos.every_point.jobs import JOBS
from portal.devtools.chaos.options import POSTGRESQL


@dataclass(frozen=True)
class Part:
    """One part: a job with one fault at each place, or every pair of two, or a sample of kills in real processes."""

    job: str
    is_idempotent: bool = False
    has_pairs: bool = False
    is_real: bool = False

    def __str__(self) -> str:
        """The options that choose this part."""
        return self.job_options + (" --pairs" if self.has_pairs else "")

    @property
    def job_options(self) -> str:
        """The options that choose its job, for the repetition of one run."""
        flags = [("--idempotency", self.is_idempotent), ("--real", self.is_real)]
        return " ".join([f"--job {self.job}", *(name for name, is_set in flags if is_set)])

    @property
    def has_processes(self) -> bool:
        """Whether the portal's processes are real ones, which reach the platforms over sockets."""
        return self.is_real or JOBS[self.job].in_drains


#: Every job with one fault at each place of it.
ALL_JOBS = tuple(map(Part, JOBS))
NIGHTLY = (
    *ALL_JOBS,
    Part("invitation", is_idempotent=True),
    Part("codescreen-webhooks", is_idempotent=True),
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
            "--quick", action="store_true", help=f"every job, with one fault in {QUICK_SAMPLE}"
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
    if arguments["quick"]:
        return ALL_JOBS
    if arguments["nightly"] or not any(
        arguments[name] for name in ("job", "pairs", "idempotency", "real", "at")
    ):
        return NIGHTLY
    job = arguments["job"] or ("invitation" if arguments["pairs"] else "main")
    return (Part(job, arguments["idempotency"], arguments["pairs"], arguments["real"]),)


def _kinds(word: str) -> list[FaultKind]:
    """Return the kind of that name, or else those whose names begin with it."""
    return [kind for kind in FaultKind if kind == word] or [
        kind for kind in FaultKind if kind.startswith(word)
    ]
