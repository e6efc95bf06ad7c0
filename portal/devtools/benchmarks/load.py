"""Load from a process of its own, which is never the bottleneck: wrk where it is installed, else `raw_client`."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from portal.devtools.ports import HOST
from portal.devtools.waiting import RunFailed

SCRIPT = Path(__file__).with_name("ready_requests.lua")
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
    broken: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def client_name() -> str:
    """Return which client sends the load."""
    return "wrk" if shutil.which("wrk") else "raw sockets"


def send(port: int, requests: Path, connections: int, seconds: int | None) -> Round:
    """Send the file's requests over so many connections until the time is up, or all of them without a time.

    Raises RunFailed.
    """
    wrk = shutil.which("wrk")
    if wrk and seconds is not None:  # wrk always takes the whole time
        argv = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
        argv += ["-s", str(SCRIPT), f"http://{HOST}:{port}/", "--", str(requests)]
    else:
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
