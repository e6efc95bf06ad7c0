"""Keeps programs running: starts each again that ends, and ends all of them with itself.

Neither Django nor the database is needed here.
"""

import ctypes
import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from gunicorn.systemd import sd_notify

logger = logging.getLogger("portal.process.supervisor")

#: Between TERM and KILL: longer than the longest call to a platform, which must not be cut off, and short enough that
#: everything has ended within 30 seconds.
STOP_SECONDS = 27.0
START_EVERY_SECONDS = 2.0  # at most so often a program is started
HANDED_OVER = "PORTAL_SUPERVISED"  # what `serve` has this module run in its place
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Program:
    """A program to run: its arguments, and additions to the environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it as the leader of a process group. Raises OSError."""
        return subprocess.Popen(
            self.argv,
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=2,  # standard output is for people; a program's output is a log
            process_group=0,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - it takes no lock
        )


def _end_with_parent() -> None:
    """Have Linux send TERM to this process when the thread that started it ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether a process has. It isn't reaped, so that no other one gets its id before its group is killed."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


class Supervisor:
    """Runs programs until it is asked to stop: `run()`, or a context whose user calls `reconcile()` every second."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.runs: dict[str, subprocess.Popen[bytes]] = {}  # by the program's name
        self._programs = programs
        self._start_at = {program.name: 0.0 for program in programs}
        self._signals: list[int] = []

    def run(self) -> None:
        """Run everything until TERM, or INT or HUP if they aren't ignored. Nothing is left running on return."""
        reader, writer = os.pipe()
        self._signals = [reader]
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # shells let a background process ignore INT, and nohup HUP; something must always end it
            if number == signal.SIGTERM or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda *_: os.write(writer, b"."))
        with self:
            while not select.select(self._signals, [], [], 1.0)[0]:
                self.reconcile()
                if "workers" not in self.runs:  # these tell systemd themselves that they work
                    sd_notify("WATCHDOG=1", logger)
            os.read(reader, 64)

    def __enter__(self) -> Self:
        self.reconcile()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reconcile(self) -> None:
        """Start every program that doesn't run. What is left of an earlier run is killed before."""
        for program in self._programs:
            name, now = program.name, time.monotonic()
            if name in self.runs and _has_ended(self.runs[name]):
                logger.warning("%s ended with code %s: starting it again.", name, self._kill(name))
            if name not in self.runs and now >= self._start_at[name]:
                self._start_at[name] = now + START_EVERY_SECONDS
                try:
                    self.runs[name] = program.start()
                    logger.info("Started %s (process group %s).", name, self.runs[name].pid)
                except OSError as error:  # the machine may have room for another process in a moment
                    logger.warning("%s could not be started; trying again: %s", name, error.strerror)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End every program: TERM, and KILL `seconds` later or at a second signal."""
        deadline = time.monotonic() + seconds
        for process in self.runs.values():
            os.kill(process.pid, signal.SIGTERM)
        while not all(map(_has_ended, self.runs.values())):
            if select.select(self._signals, [], [], 0.05)[0] or time.monotonic() > deadline:
                logger.warning("Still running after TERM, now killed.")
                break
        for name in list(self.runs):
            self._kill(name)

    def _kill(self, name: str) -> int:
        """Kill what is left of a run. Return the program's exit code."""
        os.killpg(self.runs[name].pid, signal.SIGKILL)
        return self.runs.pop(name).wait()


if __name__ == "__main__":
    given = json.loads(os.environ.pop(HANDED_OVER))
    logging.basicConfig(**given["log"])
    Supervisor([Program(**program) for program in given["programs"]]).run()
