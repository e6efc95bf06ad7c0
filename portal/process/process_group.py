"""One program that the supervisor runs: started in a process group of its own, probed, and replaced as a whole."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from portal.process import process_table

logger = logging.getLogger(__name__)

GUARD = Path(__file__).with_name("process_guard.py")
MAX_RESTART_PAUSE = 2.0  # seconds before a program that keeps ending is started again
HEALTHY_RUN = 30.0  # seconds after which a program's earlier failures no longer count
#: Between TERM and KILL: longer than the longest call to a platform, which must not be cut off, and short enough that
#: everything has ended within 30 seconds.
STOP_SECONDS = 27.0
FROZEN_AFTER = 4.0  # seconds for which a process is suspended before its program is replaced
INITIAL_GRACE = 10.0  # seconds that a new program has to start before it can count as stalled
MAX_GRACE = 60.0
#: Seconds that a program has to show progress after a database outage; longer than it takes to notice a stall.
GRACE_AFTER_OUTAGE = 5.0
#: A probe that took more seconds than this was held up by the database or by this machine, not by the program.
MAX_PROBE_SECONDS = 3.0


def _never_stalled() -> bool:
    return False


def _no_progress_known(_seconds: float) -> bool:
    return False


@dataclass(frozen=True)
class Program:
    """A program to run: its arguments, additions to the environment, and how to find out whether it is stalled.

    `made_progress_within(seconds)` tells whether it made progress in that time: then it needs no more time to start.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    is_stalled: Callable[[], bool] = _never_stalled
    made_progress_within: Callable[[float], bool] = _no_progress_known


class ProcessGroup:
    """One program with everything it starts, as one process group that is signalled and replaced as a whole."""

    def __init__(self, program: Program, lifeline: int) -> None:
        self.program = program
        self.is_stalled = False
        self._lifeline = lifeline
        self._guard: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._grace_began_at = 0.0
        self._restart_at = 0.0
        self._failures = 0
        self._grace = INITIAL_GRACE
        self._grace_after_outage: float | None = None
        self._suspended_since: float | None = None
        #: Guards of replaced groups that end what they have begun, and when each is killed.
        self._retired: list[tuple[subprocess.Popen[bytes], float]] = []

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
            stdout=2,  # standard output is for people; a program's output is a log
            start_new_session=True,
            pass_fds=[self._lifeline],
        )
        self._started_at = self._grace_began_at = time.monotonic()
        self._grace_after_outage = None
        self.is_stalled = False
        logger.info("Started %s (process group %s).", self.program.name, self._guard.pid)

    def reconcile(self) -> None:
        """Replace the program if it has stalled or ended: at once, or after a short pause if it keeps ending."""
        now = time.monotonic()
        self._end_retired()
        if self._guard is None:
            if now >= self._restart_at:
                self.start()
            return
        if self.is_stalled:
            logger.warning("%s has work but makes no progress: replacing it.", self.program.name)
            self._grace = min(MAX_GRACE, self._grace * 2)
            self._retire()
            self.start()
        elif _has_exited(self._guard):
            code = self.kill()
            self._failures = 0 if now - self._started_at > HEALTHY_RUN else self._failures + 1
            pause = min(MAX_RESTART_PAUSE, 0.5 * 2 ** (self._failures - 1)) if self._failures else 0.0
            self._restart_at = now + pause
            logger.warning("%s ended with code %s: starting it again.", self.program.name, code)
            if not pause:
                self.start()

    def probe(self, is_suspended: bool = False) -> None:
        """Find out whether the program is stalled, and set `is_stalled`. A new program first gets time to start.

        `is_suspended`: one of its processes is suspended now.
        """
        probed_start, probe_began_at = self._started_at, time.monotonic()
        age = probe_began_at - self._grace_began_at
        if self._guard is None:
            return
        if self._is_frozen(is_suspended, probe_began_at):
            self.is_stalled = True
            return
        grace = self._current_grace
        has_made_progress = age < grace and self.program.made_progress_within(age)
        if age < min(INITIAL_GRACE, grace) and not has_made_progress:
            return
        is_stalled = self.program.is_stalled()
        if time.monotonic() - probe_began_at > MAX_PROBE_SECONDS:
            self.reset_grace()  # the database stalled, so the program couldn't make progress either
            return
        if has_made_progress or not is_stalled:
            self._grace = INITIAL_GRACE  # it has started, so it needs no longer grace
        # The probe took time: its result may be about a program that was replaced since.
        is_same_start = probed_start == self._started_at
        self.is_stalled = is_stalled and (has_made_progress or age >= grace) and is_same_start

    def reset_grace(self) -> None:
        """Give the program time to show progress after a database outage; a new one keeps the time it had left."""
        now = time.monotonic()
        self._grace_after_outage = max(GRACE_AFTER_OUTAGE, self._current_grace - (now - self._grace_began_at))
        self._grace_began_at = now

    @property
    def _current_grace(self) -> float:
        return self._grace if self._grace_after_outage is None else self._grace_after_outage

    def _is_frozen(self, is_suspended: bool, now: float) -> bool:
        """Whether one of the program's processes has been suspended for a while: it may hold a lock of the others."""
        if not is_suspended:
            self._suspended_since = None
            return False
        if self._suspended_since is None:
            self._suspended_since = now
        return now - self._suspended_since >= FROZEN_AFTER

    def has_ended(self) -> bool:
        """Whether the guard process has ended, and those of earlier groups. They aren't reaped here."""
        return (self._guard is None or _has_exited(self._guard)) and all(
            _has_exited(guard) for guard, _ in self._retired
        )

    def guards(self) -> list[int]:
        """Return the ids of the guard processes that this process has started and not yet reaped."""
        guards = [guard for guard, _ in self._retired] + ([self._guard] if self._guard else [])
        return [guard.pid for guard in guards]

    def _retire(self) -> None:
        """Let the processes end what they have begun, except for frozen ones, which can't."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        suspended = process_table.suspended_members(guard.pid)
        for pid in suspended:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.kill(guard.pid, signal.SIGTERM)  # Popen's own would reap a guard that has just ended
        is_headless = guard.pid in suspended
        self._retired.append((guard, time.monotonic() + (0.0 if is_headless else STOP_SECONDS)))
        self._end_retired()

    def _end_retired(self) -> None:
        """Kill what is left of retired groups whose guard has ended, or whose time is up."""
        now = time.monotonic()
        for guard, deadline in list(self._retired):
            if now >= deadline or _has_exited(guard):
                _kill_group(guard)
                self._retired.remove((guard, deadline))

    def terminate(self) -> None:
        """Ask the program to finish its work and end."""
        if self._guard is not None and not _has_exited(self._guard):
            self._guard.terminate()

    def kill(self) -> int | None:
        """Kill every process of the group. Return the guard's exit code, None when it wasn't running."""
        guard, self._guard = self._guard, None
        return None if guard is None else _kill_group(guard)

    def kill_all(self) -> None:
        """Kill every process of the group and of earlier ones."""
        self.kill()
        for guard, _ in self._retired:
            _kill_group(guard)
        self._retired.clear()


def _has_exited(guard: subprocess.Popen[bytes]) -> bool:
    """Whether the guard has ended. It isn't reaped, so that its id stays the group's."""
    return os.waitid(os.P_PID, guard.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(guard: subprocess.Popen[bytes]) -> int:
    os.killpg(guard.pid, signal.SIGKILL)
    return guard.wait()
