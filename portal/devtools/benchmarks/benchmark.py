"""What every benchmark is: a name, arguments, an environment of its own, and a run that returns a report."""

import os
import platform
from abc import ABC, abstractmethod
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar

from django.db import connection

from portal.devtools.benchmarks.report import Json, Report
from portal.devtools.demo.environment import DemoEnvironment

PACKAGES = (
    "django",
    "djangorestframework",
    "django-q2",
    "psycopg",
    "granian",
    "requests",
    "redis",
)


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


class Benchmark(ABC):
    """One sub-command of `manage.py bench`."""

    name: ClassVar[str]
    help: ClassVar[str]
    #: The settings module of the benchmark's processes.
    settings: ClassVar[str] = "portal.settings"

    def add_arguments(self, parser: ArgumentParser) -> None:  # noqa: B027 - not every benchmark has some
        """Add the benchmark's own arguments."""

    def variables(self, options: Namespace) -> Mapping[str, str]:
        """Return the environment variables that differ from a demo's."""
        return {}

    @abstractmethod
    def run(self, setup: Setup) -> Report:
        """Measure. Raises RunFailed when a part doesn't answer."""
