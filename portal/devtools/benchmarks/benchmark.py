"""What every benchmark is: options, an environment of its own, and a function that returns a table."""

import os
import platform
import statistics
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection

from portal.devtools.demo.environment import DemoEnvironment


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median of some rounds with its quartiles, as `median [lower–upper]`."""
    known = list(values) if len(values) > 1 else [*values, *values]
    low, middle, high = statistics.quantiles(known, n=4, method="inclusive")
    return f"{middle:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"


def ratios(measured: Sequence[float], yardstick: Sequence[float]) -> list[float]:
    """Return, round by round, how many times the yardstick the measured value is."""
    return [one / other for one, other in zip(measured, yardstick, strict=True)]


def p99(values: Sequence[float]) -> float:
    """Return what 99 of a hundred values don't exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[98]


@dataclass
class Table:
    """One table: a title, the names of the columns and a row of texts for each line."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def as_text(self) -> str:
        """Return the table in Markdown, aligned for a terminal."""
        lines = [tuple(self.columns), *(tuple(row) for row in self.rows)]
        widths = [max(len(line[number]) for line in lines) for number in range(len(self.columns))]
        texts = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
            for line in lines
        ]
        rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        return "\n".join([f"{self.title}\n", texts[0], rule, *texts[1:]])


def machine() -> str:
    """Return the cores, the load, Python and the database in one line."""
    number = ".".join(map(str, connection.get_database_version()))
    return (
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, Python {platform.python_version()}, "
        f"{connection.display_name} {number}"
    )


@dataclass(frozen=True)
class Setup:
    """Where a benchmark runs: its environment, with an empty, migrated database; its options; a log of its progress."""

    environment: DemoEnvironment
    options: Namespace
    log: Callable[[str], None]


#: An environment in which no poll is in the way; and one without the rate limit, too.
WITHOUT_POLLS = {
    "POLL_NOT_STARTED_SECONDS": "86400",
    "POLL_IN_PROGRESS_SECONDS": "86400",
    "WEB_WORKERS": "2",
    "Q_WORKERS": "2",
    "EMAIL_URL": "memorymail://",
}
WITHOUT_LIMITS = WITHOUT_POLLS | {"LEVER_RATE": "1000000", "LEVER_BURST": "1000000"}


@dataclass(frozen=True)
class Benchmark:
    """One sub-command of `manage.py bench`; `measure` raises RunFailed when a part doesn't answer."""

    help: str
    measure: Callable[[Setup], Table]
    #: Its own options, each a number, with their defaults and what they say.
    options: Mapping[str, tuple[int, str]]
    #: The environment variables that differ from a demo's.
    variables: Mapping[str, str] = field(default_factory=lambda: WITHOUT_LIMITS)
