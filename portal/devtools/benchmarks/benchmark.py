"""What every benchmark is: a name, arguments, an environment of its own, and a run that returns a report of tables."""

import json
import math
import os
import platform
import statistics
from abc import ABC, abstractmethod
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

from django.db import connection

from portal.devtools.demo.environment import DemoEnvironment

type Json = dict[str, Any]


@dataclass(frozen=True)
class Spread:
    """The median of some rounds with its quartiles."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        return cls(*statistics.quantiles(values, n=4, method="inclusive"))

    def as_text(self, digits: int = 2) -> str:
        """Return `median [lower quartile–upper quartile]`."""
        return f"{self.middle:.{digits}f} [{self.low:.{digits}f}–{self.high:.{digits}f}]"


def ratios(measured: Sequence[float], yardstick: Sequence[float]) -> list[float]:
    """Return, round by round, how many times the yardstick the measured value is."""
    return [one / other for one, other in zip(measured, yardstick, strict=True)]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least so many percent of the values don't exceed."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1]


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


@dataclass
class Report:
    """The tables of one benchmark, and under `numbers` every single measurement."""

    tables: list[Table] = field(default_factory=list)
    numbers: Json = field(default_factory=dict)

    def as_text(self) -> str:
        """Return all tables."""
        return "\n\n".join(table.as_text() for table in self.tables)

    def as_json(self, machine: Json) -> str:
        """Return the numbers with the machine that they were measured on."""
        return json.dumps({"machine": machine, "numbers": self.numbers}, indent=1, default=str)


PACKAGES = ("django", "djangorestframework", "django-q2", "psycopg", "gunicorn", "requests", "redis")


def describe_machine() -> Json:
    """Return cores, load, Python, the database and the versions of what a figure depends on."""
    return {
        "cores": os.cpu_count(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "database": _database(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def machine_as_text(machine: Json) -> str:
    """Return the machine in one line."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{machine['cores']} cores, load {machine['load_before'][0]}, Python {machine['python']}, "
        f"{machine['database']}, {packages}"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _database() -> str:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()")
        return f"SQLite {cursor.fetchone()[0]}"


@dataclass(frozen=True)
class Setup:
    """Where a benchmark runs: its environment, with an empty, migrated database; its options; a log of its progress."""

    environment: DemoEnvironment
    options: Namespace
    log: Callable[[str], None]


#: An environment in which no rate limit and no poll is in the way.
WITHOUT_LIMITS = {
    "LEVER_RATE": "1000000",
    "LEVER_BURST": "1000000",
    "POLL_NOT_STARTED_SECONDS": "86400",
    "POLL_IN_PROGRESS_SECONDS": "86400",
    "WEB_WORKERS": "2",
    "Q_WORKERS": "2",
}


class Benchmark(ABC):
    """One sub-command of `manage.py bench`."""

    name: ClassVar[str]
    help: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:  # noqa: B027 - not every benchmark has some
        """Add the benchmark's own arguments."""

    def variables(self, options: Namespace) -> Mapping[str, str]:
        """Return the environment variables that differ from a demo's."""
        return {}

    @abstractmethod
    def run(self, setup: Setup) -> Report:
        """Measure. Raises RunFailed when a part doesn't answer."""
