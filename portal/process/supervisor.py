"""Keeps programs running: replaces each one that ends or freezes, and ends all of them with itself.

A program that is watched says that it works as systemd wants it, `WATCHDOG=1` to NOTIFY_SOCKET. So neither Django nor
the database is needed here.
"""

import json
import logging.config
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Self

logger = logging.getLogger("portal.process.supervisor")

#: Between TERM and KILL: longer than the longest call to a platform, which must not be cut off, and short enough that
#: everything has ended within 30 seconds.
STOP_SECONDS = 27.0
START_SECONDS = 30.0  # until a program's first word; a busy machine takes so long to start one
FROZEN_SECONDS = 4.0  # for which a process is suspended before its program is replaced
LATE_SECONDS = 3.0  # this process was held up for longer than that, and so were the programs
BRIEF_SECONDS, PAUSE_SECONDS = 10.0, 1.0  # a program that ran so briefly is started again after a pause
#: At the head of each group: whatever ends the supervisor, its end of the pipe closes, and the whole group is killed.
GUARD = ("/bin/sh", "-c", 'trap "" HUP INT TERM; read -r _; kill -KILL 0')
HANDED_OVER = "PORTAL_SUPERVISED"  # from a command to the supervisor that it becomes
DRAINING = "PORTAL_DRAINING"  # names the file descriptor that is closed when the programs are to stop


@dataclass(frozen=True)
class Program:
    """A program to run: its arguments, additions to the environment, and for how long it may say nothing.

    It goes on for `drain_seconds` after the supervisor was asked to stop, and can see that by `is_draining()`.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    silent_seconds: float = float("inf")
    drain_seconds: float = 0.0


class Run:
    """One run of a program with everything it starts, as a process group. Raises OSError if it can't be started."""

    def __init__(self, program: Program, lifeline: int, draining: int) -> None:
        self.program, self.kill_at = program, float("inf")
        with ExitStack() as undo:
            self._words = undo.enter_context(
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            )
            self._words.bind("")  # the kernel chooses a name, which leaves no file behind
            address = self._words.getsockname().replace(b"\0", b"@", 1).decode()
            self._guard = subprocess.Popen(GUARD, stdin=lifeline, process_group=0)
            undo.callback(self._kill_group)
            self.pid = self._guard.pid  # of the group
            self._process = subprocess.Popen(
                program.argv,
                env={**os.environ, "NOTIFY_SOCKET": address, DRAINING: str(draining), **program.env},
                pass_fds=[draining],
                stdin=subprocess.DEVNULL,
                stdout=2,  # standard output is for people; a program's output is a log
                process_group=self.pid,
            )
            undo.pop_all()
        self.began_at = self._asked_at = self._moved_at = time.monotonic()
        self._word_due_at = self.began_at + max(START_SECONDS, program.silent_seconds)
        logger.info("Started %s (process group %s).", program.name, self.pid)

    def has_ended(self) -> bool:
        """Whether the program or its guard has. Neither is reaped, so that no other process gets its id."""
        pids = (self.pid, self._process.pid)
        return any(os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) for pid in pids)

    def is_frozen(self) -> bool:
        """Whether it has said nothing, or one of its processes is suspended, for too long; asked every second."""
        now = time.monotonic()
        was_late, self._asked_at = now - self._asked_at > LATE_SECONDS, now
        with suppress(BlockingIOError):
            while self._words.recv(64):
                self._word_due_at = now + self.program.silent_seconds
        if was_late:
            self._word_due_at = max(self._word_due_at, now + self.program.silent_seconds)
        if was_late or not suspended(self._process.pid):
            self._moved_at = now
        return now > self._word_due_at or now - self._moved_at > FROZEN_SECONDS

    def terminate(self) -> None:
        """Ask the program to end what it has begun in STOP_SECONDS. Suspended processes, which can't, are killed."""
        self.kill_at = time.monotonic() + STOP_SECONDS
        for pid in suspended(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.kill(self._process.pid, signal.SIGTERM)

    def kill(self) -> int:
        """Kill what is left of the group. Return the program's exit code."""
        self._kill_group()
        self._words.close()
        return self._process.wait()

    def _kill_group(self) -> None:
        os.killpg(self._guard.pid, signal.SIGKILL)
        self._guard.wait()


class Supervisor:
    """Runs programs until it is asked to stop: `run()`, or a context whose user calls `reconcile()` every second."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.runs: dict[str, Run] = {}  # the present one of each program
        self._programs = programs
        self._start_at = {program.name: 0.0 for program in programs}
        self._ending: list[Run] = []  # frozen ones, which end what they have begun
        self._lifeline = list(os.pipe())
        self._draining = list(os.pipe())
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
            os.read(reader, 64)

    def __enter__(self) -> Self:
        self.reconcile()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reconcile(self) -> None:
        """Start every program that doesn't run, and replace every one that has ended or is frozen."""
        for program in self._programs:
            try:
                self._reconcile(program)
            except OSError:  # the machine may have room for another process in a moment
                logger.exception("%s could not be started; trying again.", program.name)
        for run in [run for run in self._ending if run.has_ended() or time.monotonic() > run.kill_at]:
            run.kill()
            self._ending.remove(run)

    def _reconcile(self, program: Program) -> None:
        run = self.runs.get(program.name)
        if run and run.has_ended():
            del self.runs[program.name]
            is_brief = time.monotonic() - run.began_at < BRIEF_SECONDS
            self._start_at[program.name] = time.monotonic() + PAUSE_SECONDS * is_brief
            logger.warning("%s ended with code %s: starting it again.", program.name, run.kill())
        elif run and run.is_frozen():
            self._ending.append(self.runs.pop(program.name))
            run.terminate()
            logger.warning("Replacing %s, which is frozen.", program.name)
        if program.name not in self.runs and time.monotonic() >= self._start_at[program.name]:
            self.runs[program.name] = Run(program, self._lifeline[0], self._draining[0])

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End every program: TERM once it has drained, KILL `seconds` later or at a second signal."""
        if self._draining:
            os.close(self._draining.pop())
        now = time.monotonic()
        term_at = {run: now + run.program.drain_seconds for run in self.runs.values()}
        deadline = max(term_at.values(), default=now) + seconds
        runs = [*self.runs.values(), *self._ending]
        while not all(run.has_ended() for run in runs):
            for run in [run for run, at in term_at.items() if at <= time.monotonic()]:
                del term_at[run]
                run.terminate()
            if select.select(self._signals, [], [], 0.05)[0] or time.monotonic() > deadline:
                logger.warning("Still running after TERM, now killed.")
                break
        for run in runs:
            run.kill()
        self.runs, self._ending = {}, []
        for pipe in (self._lifeline, self._draining):
            while pipe:
                os.close(pipe.pop())


def suspended(pid: int) -> list[int]:
    """Return which of a process and its descendants are suspended, as by SIGSTOP; none where /proc doesn't tell."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended
        return []
    return [
        *([pid] if state == "T" else []),
        *(found for child in children for found in suspended(int(child))),
    ]


def is_draining() -> bool:
    """Whether this process is part of a program that its supervisor is about to stop."""
    if not (draining := os.environ.get(DRAINING)):
        return False
    poll = select.poll()
    poll.register(int(draining), select.POLLIN)
    return bool(poll.poll(0))


def become(programs: Sequence[Program], log: Mapping[str, Any]) -> NoReturn:
    """Replace this process by a supervisor of the programs, which has nothing else in its memory and logs so."""
    os.environ[HANDED_OVER] = json.dumps({"log": log, "programs": [asdict(program) for program in programs]})
    os.execv(sys.executable, [sys.executable, "-P", "-m", __name__])  # noqa: S606 - under the same id


if __name__ == "__main__":
    given = json.loads(os.environ.pop(HANDED_OVER))
    logging.config.dictConfig(given["log"])
    Supervisor([Program(**program) for program in given["programs"]]).run()
