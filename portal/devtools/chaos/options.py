"""The options of `chaos`: of the runs with real processes, and of those at every point."""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from portal.devtools.chaos.every_point.faults import Fault, FaultKind
from portal.devtools.chaos.every_point.jobs import JOBS

POSTGRESQL = ("postgresql://", "postgres://")


def _option(default: Any, help_text: str, **more: Any) -> Any:
    return field(default=default, metadata={"help": help_text, **more})


@dataclass(frozen=True)
class Options:
    """One run's options, with their defaults. At most one of the other runs' sizes is set."""

    events: int = _option(200, "stage changes in Lever (default %(default)s)")
    faults: float = _option(0.2, "share of calls to the platforms that go wrong (default %(default)s)")
    kill_every: float = _option(2.0, "seconds between interruptions; 0 for none (default %(default)s)")
    restarts: bool = _option(False, "interrupt by TERM alone: all of the portal ends, and starts again")
    freeze: bool = _option(False, "freeze the workers once, until their leases are over")
    seed: int = _option(1, "the same seed makes the same plan (default %(default)s)")
    restore: int = _option(0, "instead: move this many, back up in the midst, go on, kill, restore and sweep")
    upgrade: int = _option(0, "instead: up to this many moves while two nodes are upgraded twice, and back")
    unreported: bool = _option(False, "with --restore: nobody runs `restored` afterwards")
    every_point: bool = _option(False, "instead: jobs, each once for every place and fault")
    sample: int = _option(1, "with --every-point: only one fault in so many")
    job: str = _option("", "with --every-point: one job alone", choices=JOBS)
    at: Sequence[str] = _option((), "with --job: only this place; twice for two faults", action="append")
    fault: Sequence[str] = _option(
        (),
        f"with --every-point: only this kind, or those that begin so: {', '.join(FaultKind)}",
        action="append",
    )
    database_url: str = _option("", "PostgreSQL; a database of its own is made there")
    redis_url: str = _option("", "Redis with a database number that may be flushed")
    log: str = _option("", "file for the portal's logs; without it they are dropped")
    json: bool = _option(False, "print the table as JSON")

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        """Add every option to a command."""
        for option in fields(cls):
            how: dict[str, Any] = {"default": option.default, **option.metadata}
            if isinstance(option.default, bool):
                how["action"] = "store_true"
            elif option.default == ():
                how["default"] = []
            else:
                how["type"] = type(option.default)
            parser.add_argument(f"--{option.name.replace('_', '-')}", **how)

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> Self:
        """Return the options a command was given. Raises ValueError with the fix."""
        options = cls(**{option.name: arguments[option.name] for option in fields(cls)})
        options.check()
        return options

    def check(self) -> None:
        """Raise ValueError, with the fix, unless the run is possible."""
        if not 0 <= self.faults <= 0.9:
            raise ValueError("--faults is a share from 0 to 0.9.")
        if min(self.events, self.sample) < 1 or min(self.kill_every, self.restore, self.upgrade) < 0:
            raise ValueError("--events and --sample are at least 1, and no option is negative.")
        if self.redis_url and not self.redis_url.rstrip("/").rpartition("/")[2].isdigit():
            raise ValueError("--redis-url has to end with the number of a database that may be flushed.")
        if self.database_url and not self.database_url.startswith(POSTGRESQL):
            raise ValueError("--database-url takes a PostgreSQL address; without it the run is on SQLite.")
        if self.restore and self.upgrade:
            raise ValueError("Choose --restore or --upgrade.")
        if self.upgrade and not self.database_url:
            raise ValueError(
                "--upgrade goes with --database-url: SQLite has one writer, and no node beside it."
            )
        if self.unreported and not self.restore:
            raise ValueError("--unreported goes with --restore.")
        for word in self.fault:
            if not _kinds(word):
                raise ValueError(f"--fault {word} is not one of {', '.join(FaultKind)}.")
        if self.at and (len(self.at) != len(self.fault) or not self.job):
            raise ValueError("--at goes with --job and with a --fault each.")

    @property
    def has_faults(self) -> bool:
        """Whether this is the run with faults at the platforms, not one about one thing."""
        return not (self.restore or self.upgrade)

    @property
    def phase_seconds(self) -> float:
        """How many seconds each phase may take: several times what it should."""
        return 240.0 + 0.4 * max(self.restore, self.upgrade, self.events)

    @property
    def poll_seconds(self) -> int:
        """How often CodeScreen is polled about each invitation, so that polling stays a small part of the work."""
        return max(5, self.events // 20) if self.has_faults else 3600

    @property
    def jobs(self) -> tuple[str, ...]:
        """The names of the jobs to do at every point."""
        return (self.job,) if self.job else tuple(JOBS)

    @property
    def kinds(self) -> tuple[FaultKind, ...]:
        """The kinds of fault that alone are to happen; empty for all."""
        return tuple(kind for word in self.fault for kind in _kinds(word))

    @property
    def planned(self) -> tuple[Fault, ...]:
        """The faults that alone are to happen, in this order; empty for all."""
        return tuple(Fault(label, _kinds(word)[0]) for label, word in zip(self.at, self.fault, strict=False))


def _kinds(word: str) -> list[FaultKind]:
    """Return the kind of that name, or else those whose names begin with it."""
    return [kind for kind in FaultKind if kind == word] or [
        kind for kind in FaultKind if kind.startswith(word)
    ]
