"""What every run has: where it takes place, what runs there, what it is asked, and whom it tells how far it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import Programs
from portal.devtools.chaos.table import Table
from portal.devtools.demo.environment import Stage


class Run(ABC):
    """One of the runs."""

    def __init__(
        self, stage: Stage, programs: Programs, options: Options, say: Callable[[str], object]
    ) -> None:
        self._stage = stage
        self._programs = programs
        self._options = options
        self._say = say
        self._prepare()

    def _prepare(self) -> None:  # noqa: B027 - not every run has more to get ready
        """Get ready, once everything runs and is connected."""

    @abstractmethod
    def run(self) -> Table:
        """Do it and count. Raises NotReady."""
