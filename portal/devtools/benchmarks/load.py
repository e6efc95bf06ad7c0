"""Load from a process of its own, `raw_client`, which is never the bottleneck."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from django.conf import settings

from portal.devtools.benchmarks import raw_client
from portal.devtools.processes import RunFailed
from portal.process.supervisor import Program

RESULT = "RESULT "
#: Seconds within which all requests of a file are sent.
LONGEST_SECONDS = 600
#: Seconds after its end within which the client has printed its result.
AFTERWARDS = 60


@dataclass(frozen=True)
class Round:
    """What came of one round of load: answers, how many of them were refusals, and how long they took."""

    answers: int
    refused: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def send(port: int, requests: Path, connections: int, seconds: int | None) -> Round:
    """Send the file's requests over so many connections until the time is up, or all of them without a time.

    Raises RunFailed.
    """
    argv = [sys.executable, "-m", "portal.devtools.benchmarks.raw_client"]
    argv += [str(port), str(requests), str(connections), str(seconds or LONGEST_SECONDS)]
    ended = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.BASE_DIR,
        timeout=(seconds or LONGEST_SECONDS) + AFTERWARDS,
    )
    found = [line for line in ended.stdout.splitlines() if line.startswith(RESULT)]
    if ended.returncode or not found:
        raise RunFailed(f"the load ended early: {ended.stderr.strip() or ended.stdout.strip()}")
    return Round(**json.loads(found[-1].removeprefix(RESULT)))


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
        raw_client.write(file, count, partial(self.make, SIZES[size]))
        before = self.count_rows()
        result = send(self.port, file, connections_open, seconds)
        file.unlink()
        if result.refused:
            raise RunFailed(f"{self.name}: {result.refused} refused")
        stored = self.count_rows() - before
        if stored < result.answers:
            raise RunFailed(f"{self.name}: {result.answers} accepted, but {stored} rows")
        return result
