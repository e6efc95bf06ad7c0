"""Keeps the portal's programs running: each in a process group of its own, replaced when it ends or stalls.

`serve` and `demo` are built on it. Nothing is remembered here: the supervisor may be killed at any moment, takes
all its programs with it, and the next one goes on from the rows.
"""

import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Self

from django.db import connections

logger = logging.getLogger(__name__)

GUARD = Path(__file__).with_name("process_guard.py")
PATIENCE = 20.0  # seconds between TERM and KILL
LONGEST_PAUSE = 2.0  # seconds before a program that keeps ending is started again
GOOD_RUN = 30.0  # seconds after which a program's earlier failures are forgotten
FIRST_GRACE = 10.0  # seconds a new program has to get going before it can be called stalled
LONGEST_GRACE = 60.0
GRACE_AFTER_OUTAGE = (
    5.0  # seconds to show life again once the database is back; more than a stall takes to be seen
)
LONGEST_LOOK = (
    3.0  # seconds after which a look says more about the database, or about us, than about the program
)


def _never() -> bool:
    return False


def _not_seen(_seconds: float) -> bool:
    return False


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Program:
    """What to run: its arguments, what its environment adds to ours, and how to tell that it is stuck.

    `shows_life(seconds)` says whether it was seen at work within that time: then it needs no grace to get going.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    is_stalled: Callable[[], bool] = _never
    shows_life: Callable[[float], bool] = _not_seen


class Group:
    """One program and everything it starts, as one process group that is signalled and replaced as a whole."""

    def __init__(self, program: Program, lifeline: int) -> None:
        self.program = program
        self.stalled = False
        self._lifeline = lifeline
        self._guard: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._judged_from = 0.0
        self._start_at = 0.0
        self._failures = 0
        self._grace = FIRST_GRACE
        self._grace_left: float | None = None

    @property
    def pid(self) -> int | None:
        """The process group's id, None while it isn't running."""
        return self._guard.pid if self._guard else None

    def start(self) -> None:
        """Start the program at the head of a new process group."""
        argv = [sys.executable, "-I", "-S", str(GUARD), str(self._lifeline), *self.program.argv]
        self._guard = subprocess.Popen(
            argv,
            env={**os.environ, **self.program.env},
            stdin=subprocess.DEVNULL,
            stdout=2,  # standard output is for people; what a program says is a log
            start_new_session=True,
            pass_fds=[self._lifeline],
        )
        self._started = self._judged_from = time.monotonic()
        self._grace_left = None
        self.stalled = False
        logger.info("Started %s (process group %s).", self.program.name, self._guard.pid)

    def tend(self) -> None:
        """Replace the program if it has stalled or ended: at once, and with short pauses if it keeps ending."""
        now = time.monotonic()
        if self._guard is None:
            if now >= self._start_at:
                self.start()
            return
        if self.stalled:
            logger.warning("%s has work but makes no progress: replacing it.", self.program.name)
            self._grace = min(LONGEST_GRACE, self._grace * 2)
            self.kill()
            self.start()
        elif self.has_ended():
            code = self.kill()
            self._failures = 0 if now - self._started > GOOD_RUN else self._failures + 1
            pause = min(LONGEST_PAUSE, 0.5 * 2 ** (self._failures - 1)) if self._failures else 0.0
            self._start_at = now + pause
            logger.warning("%s ended with code %s: starting it again.", self.program.name, code)
            if not pause:
                self.start()

    def look(self) -> None:
        """Note whether the program is stuck; a fresh one gets time to start before it is judged."""
        started, asked_at = self._started, time.monotonic()
        age = asked_at - self._judged_from
        if self._guard is None:
            return
        patience = self._patience
        has_begun = age < patience and self.program.shows_life(age)
        if age < min(FIRST_GRACE, patience) and not has_begun:
            return
        is_stalled = self.program.is_stalled()
        if time.monotonic() - asked_at > LONGEST_LOOK:
            self.forgive()  # who waited for the database as we did has had no time to show life since
            return
        if has_begun or not is_stalled:
            self._grace = FIRST_GRACE  # it got going, so a longer grace is no longer needed
        # The questions took their time: the answer may be about a program that has been replaced meanwhile.
        self.stalled = is_stalled and (has_begun or age >= patience) and started == self._started

    def forgive(self) -> None:
        """Give it time to show life again, which nobody could while the database was away; a fresh one no less."""
        now = time.monotonic()
        self._grace_left = max(GRACE_AFTER_OUTAGE, self._patience - (now - self._judged_from))
        self._judged_from = now

    @property
    def _patience(self) -> float:
        return self._grace if self._grace_left is None else self._grace_left

    def has_ended(self) -> bool:
        """Whether nobody guards the group any more. The guard isn't reaped, so that its id stays the group's."""
        if self._guard is None:
            return True
        return os.waitid(os.P_PID, self._guard.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def terminate(self) -> None:
        """Ask the program to finish what it is doing and end."""
        if self._guard is not None and not self.has_ended():
            self._guard.terminate()

    def kill(self) -> int | None:
        """End whatever is left of the group, at once; the guard's exit code."""
        if self._guard is None:
            return None
        os.killpg(self._guard.pid, signal.SIGKILL)
        code = self._guard.wait()
        self._guard = None
        return code


class Supervisor:
    """Runs programs until it is told to stop, and calls `every_second` meanwhile.

    Used by `run()`, or as a context manager by somebody who calls `tend()` about every second.
    """

    def __init__(self, programs: Sequence[Program], every_second: Callable[[], None] = _nothing) -> None:
        lifeline, our_end = os.pipe()  # our end closes when we die, and the guards notice
        self._wake, self._waker = os.pipe()
        self._pipes = [lifeline, our_end, self._wake, self._waker]
        self.groups = [Group(program, lifeline) for program in programs]
        self._every_second = every_second
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._is_told_to_stop = False

    def run(self) -> None:
        """Run everything until TERM, INT or HUP; nothing is left running on return."""
        handled = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup's wish is respected
            handled.append(signal.SIGHUP)
        former = {number: signal.signal(number, self._on_signal) for number in handled}
        try:
            with self:
                while not self._is_told_to_stop:
                    self.tend()
                    if select.select([self._wake], [], [], 1.0)[0]:
                        os.read(self._wake, 64)
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def __enter__(self) -> Self:
        for group in self.groups:
            group.start()
        # In a thread of its own: a database that doesn't answer must not keep us from tending or stopping.
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def tend(self) -> None:
        """Replace what has ended or stalled."""
        for group in self.groups:
            try:
                group.tend()
            except OSError:  # the machine may have room for another process in a moment
                logger.exception("%s could not be started; trying again.", group.program.name)

    def stop(self, patience: float = PATIENCE) -> None:
        """End every group, gently for `patience` seconds; a second signal shortens it."""
        self._stopping.set()
        self._is_told_to_stop = False
        deadline = time.monotonic() + patience
        for group in self.groups:
            group.terminate()
        while not all(group.has_ended() for group in self.groups):
            if time.monotonic() > deadline or self._is_told_to_stop:
                logger.warning("Still running after TERM, now killed.")
                break
            time.sleep(0.05)
        for group in self.groups:
            group.kill()
        self._watcher.join(timeout=2)
        pipes, self._pipes = self._pipes, []
        for end in pipes:
            os.close(end)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._is_told_to_stop = True
        self._rouse()

    def _rouse(self) -> None:
        """Let `run()` tend at once."""
        if self._pipes:
            os.write(self._waker, b".")

    def _watch(self) -> None:
        is_working = True
        looked_at = time.monotonic()
        while not self._stopping.wait(1.0):
            try:
                self._every_second()
                if not is_working:
                    logger.warning("The supervisor's look at the queue works again.")
                # a database that stood still, or the machine: the programs wake no sooner than we do
                if not is_working or time.monotonic() - looked_at > 1.0 + LONGEST_LOOK:
                    for group in self.groups:
                        group.forgive()
                for group in self.groups:
                    group.look()
                if any(group.stalled for group in self.groups):
                    self._rouse()
            except Exception:  # whatever is away now may be back in a second
                if is_working:
                    logger.exception("The supervisor's look at the queue failed; trying again every second.")
                is_working = False
                connections.close_all()
            else:
                is_working = True
            looked_at = time.monotonic()
        connections.close_all()
