"""What every chaos run is given: an environment, its processes, its options and a log of its progress."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import Processes
from portal.devtools.chaos.table import Table
from portal.devtools.demo.environment import DemoEnvironment


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
        self._prepare()

    def _prepare(self) -> None:  # noqa: B027 - not every run has more to prepare
        """Prepare the run, once everything is started and connected."""

    @abstractmethod
    def run(self) -> Table:
        """Do what the run is about and return the figures. Raises RunFailed."""
