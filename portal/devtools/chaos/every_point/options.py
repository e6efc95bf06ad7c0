"""The options of `chaos --every-point`."""

import os
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from portal.devtools.chaos.every_point.faults import Fault, FaultKind
from portal.devtools.chaos.every_point.parts import WHOLE, Part

JOB_NAMES = ("main", "invitation")


@dataclass(frozen=True)
class EveryPointOptions:
    """Which job, with which faults."""

    parts: tuple[Part, ...]
    kinds: tuple[FaultKind, ...]
    faults: tuple[Fault, ...]  # exactly these, in this order; empty for all
    processes: int

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        """Add the options to a command."""
        group = parser.add_argument_group("every point")
        group.add_argument(
            "--every-point", action="store_true", help="instead: the main job, once for each place"
        )
        group.add_argument(
            "--job", choices=JOB_NAMES, help="one part alone: the main job, or the invitation in it"
        )
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
        return cls(_parts(arguments), kinds, faults, max(1, arguments["processes"]))


def _parts(arguments: Mapping[str, Any]) -> tuple[Part, ...]:
    if not any(arguments[name] for name in ("job", "pairs", "idempotency", "real", "at", "fault")):
        return WHOLE
    job = arguments["job"] or ("invitation" if arguments["pairs"] else "main")
    return (Part(job, arguments["idempotency"], arguments["pairs"], arguments["real"]),)


def _kinds(word: str) -> list[FaultKind]:
    """Return the kind of that name, or else those whose names begin with it."""
    return [kind for kind in FaultKind if kind == word] or [
        kind for kind in FaultKind if kind.startswith(word)
    ]
