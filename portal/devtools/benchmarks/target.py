"""Something under load, and one round of it: every request is new, and every accepted one must be a row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from portal.devtools.benchmarks import load, ready_requests
from portal.devtools.benchmarks.load import Round
from portal.devtools.waiting import RunFailed
from portal.process.supervisor import Program

SIZES = {"small": 900, "large": 64 * 1024}
#: As many requests are made for a round as the fastest round so far would send, times this.
RESERVE = 2.0
FIRST_GUESS = 4000  # requests a second


@dataclass
class Target:
    """Something under load: where it listens, how a request of a size is made, how many rows it has stored."""

    name: str
    program: Program
    port: int
    make: Callable[[int], bytes]
    count_rows: Callable[[], int]
    fastest: dict[str, float] = field(default_factory=dict)

    def round(self, folder: Path, size: str, connections_open: int, seconds: int) -> Round:
        """Send one round of new requests. Raises RunFailed on a refusal, or when a row is missing."""
        count = int(self.fastest.get(size, FIRST_GUESS) * seconds * RESERVE) + 2 * connections_open
        result = self.send(folder, count, size, connections_open, seconds)
        self.fastest[size] = max(self.fastest.get(size, 0.0), result.rate)
        return result

    def send(self, folder: Path, count: int, size: str, connections_open: int, seconds: int | None) -> Round:
        """Send so many new requests, or as many of them as the time allows. Raises RunFailed like `round`."""
        file = folder / "requests"
        ready_requests.write(file, count, partial(self.make, SIZES[size]))
        before = self.count_rows()
        result = load.send(self.port, file, connections_open, seconds)
        file.unlink()
        if result.refused or result.broken:
            raise RunFailed(f"{self.name}: {result.refused} refused, {result.broken} broken off")
        stored = self.count_rows() - before
        if stored < result.answers:
            raise RunFailed(f"{self.name}: {result.answers} accepted, but {stored} rows")
        return result
