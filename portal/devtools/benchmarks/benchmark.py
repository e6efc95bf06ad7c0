"""What every benchmark is: a name, arguments, an environment of its own, and a run that returns a report."""

from abc import ABC, abstractmethod
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from portal.devtools.benchmarks.report import Report
from portal.devtools.demo.environment import DemoEnvironment


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
