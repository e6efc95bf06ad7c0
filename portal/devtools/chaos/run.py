"""What every chaos run has: its options, the promises that it checks, and the table of what came of it."""

import json
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from portal.devtools.chaos.processes import Processes
from portal.devtools.demo.environment import DemoEnvironment

POSTGRESQL = ("postgresql://", "postgres://")


def check_database_url(url: str) -> None:
    """Raise ValueError, with the fix, unless a URL is empty or PostgreSQL's."""
    if url and not url.startswith(POSTGRESQL):
        raise ValueError("--database-url takes a PostgreSQL address; without it the run is on SQLite.")


def _option(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class Options:
    """One run's options, with their defaults. At most one of the other runs' sizes is set."""

    events: int = _option(200, "stage changes in Lever")
    faults: float = _option(0.2, "share of calls to the platforms that go wrong")
    kill_every: float = _option(2.0, "seconds between interruptions; 0 for none")
    restarts: bool = _option(False, "interrupt by TERM alone: all of the portal ends, and starts again")
    freeze: bool = _option(False, "freeze the workers once, until their leases are over")
    seed: int = _option(1, "the same seed makes the same plan")
    restore: int = _option(0, "instead: move this many, back up in the midst, go on, kill, restore and sweep")
    upgrade: int = _option(0, "instead: up to this many moves while two nodes are upgraded twice, and back")
    unreported: bool = _option(False, "with --restore: nobody runs `restored` afterwards")
    database_url: str = _option("", "PostgreSQL; a database of its own is made there")
    redis_url: str = _option("", "Redis with a database number that may be flushed")
    log: str = _option("", "file for the portal's logs; without it they are dropped")
    json: bool = _option(False, "print the table as JSON")

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        """Add every option to a command."""
        for option in fields(cls):
            name, description = f"--{option.name.replace('_', '-')}", option.metadata["help"]
            if isinstance(option.default, bool):
                parser.add_argument(name, action="store_true", help=description)
            else:
                shown = "" if option.default in ("", 0, 0.0) else f" (default {option.default})"
                parser.add_argument(
                    name, type=type(option.default), default=option.default, help=description + shown
                )

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
        if self.events < 1 or min(self.kill_every, self.restore, self.upgrade) < 0:
            raise ValueError("--events is at least 1, and no option is negative.")
        if self.redis_url and not self.redis_url.rstrip("/").rpartition("/")[2].isdigit():
            raise ValueError("--redis-url has to end with the number of a database that may be flushed.")
        if self.restore and self.upgrade:
            raise ValueError("Choose --restore or --upgrade.")
        if self.upgrade and not self.database_url:
            raise ValueError(
                "--upgrade goes with --database-url: SQLite has one writer, and no node beside it."
            )
        if self.unreported and not self.restore:
            raise ValueError("--unreported goes with --restore.")
        check_database_url(self.database_url)

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
