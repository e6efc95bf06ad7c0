"""The options of `chaos --every-point`."""

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from portal.devtools.chaos.every_point.faults import Fault, FaultKind
from portal.devtools.chaos.every_point.jobs import JOBS
from portal.devtools.chaos.run import check_database_url


@dataclass(frozen=True)
class EveryPointOptions:
    """Which jobs, with which faults."""

    jobs: tuple[str, ...]
    kinds: tuple[FaultKind, ...]  # these alone; empty for all
    faults: tuple[Fault, ...]  # exactly these, in this order; empty for all
    sample: int  # one fault in so many is tried; which, the seed says
    seed: int
    database_url: str

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        """Add the options to a command."""
        group = parser.add_argument_group("every point")
        group.add_argument(
            "--every-point", action="store_true", help="instead: jobs, each once for every place and fault"
        )
        group.add_argument("--sample", type=int, default=1, metavar="N", help="only one fault in N")
        group.add_argument("--job", choices=JOBS, help="one job alone")
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

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> Self:
        """Return the options a command was given. Raises ValueError with the fix."""
        labels, words = arguments["at"], arguments["fault"]
        for word in words:
            if not _kinds(word):
                raise ValueError(f"--fault {word} is not one of {', '.join(FaultKind)}.")
        if labels and (len(labels) != len(words) or not arguments["job"]):
            raise ValueError("--at goes with --job and with a --fault each.")
        check_database_url(arguments["database_url"])
        return cls(
            jobs=(arguments["job"],) if arguments["job"] else tuple(JOBS),
            kinds=tuple(kind for word in words for kind in _kinds(word)),
            faults=tuple(Fault(label, _kinds(word)[0]) for label, word in zip(labels, words, strict=False)),
            sample=max(1, arguments["sample"]),
            seed=arguments["seed"],
            database_url=arguments["database_url"],
        )


def _kinds(word: str) -> list[FaultKind]:
    """Return the kind of that name, or else those whose names begin with it."""
    return [kind for kind in FaultKind if kind == word] or [
        kind for kind in FaultKind if kind.startswith(word)
    ]
