"""Keeps the portal's programs running: replaces each one when it ends or stalls.

`serve` and `demo` use it. It keeps no state of the work: when the supervisor is killed, all its programs end with it,
and the next one continues from the rows in the database.
"""

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import Self

from django.db import connections

from portal.process import database_waits
from portal.process.process_group import MAX_PROBE_SECONDS, STOP_SECONDS, ProcessGroup, Program
from portal.process.process_table import reap_orphans, suspended_groups

__all__ = ["STOP_SECONDS", "Program", "Supervisor"]

logger = logging.getLogger(__name__)

PROBE_INTERVAL = 1.0
FIRST_PROCESS = 1  # of a container: orphans become its children


class Supervisor:
    """Runs programs until it is asked to stop.

    Use it by `run()`, or as a context manager whose user calls `reconcile()` about every second.
    """

    def __init__(self, programs: Sequence[Program]) -> None:
        lifeline, our_end = os.pipe()  # our end closes when this process dies, and the guards notice
        self._wake_reader, self._wake_writer = os.pipe()
        self._pipes = [lifeline, our_end, self._wake_reader, self._wake_writer]
        self.groups = [ProcessGroup(program, lifeline) for program in programs]
        self._stopping = threading.Event()
        self._prober = threading.Thread(target=self._probe_until_stopped, name="probe", daemon=True)
        self._stop_was_requested = False

    def run(self) -> None:
        """Run everything until TERM, INT or HUP. Nothing is left running on return."""
        handled = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # ignored under nohup
            handled.append(signal.SIGHUP)
        former = {number: signal.signal(number, self._on_signal) for number in handled}
        try:
            with self:
                while not self._stop_was_requested:
                    self.reconcile()
                    if select.select([self._wake_reader], [], [], 1.0)[0]:
                        os.read(self._wake_reader, 64)
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def __enter__(self) -> Self:
        for group in self.groups:
            group.start()
        # Probes run in their own thread: a database that doesn't answer must not keep us from replacing or stopping.
        self._prober.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reconcile(self) -> None:
        """Replace every program that has ended or stalled."""
        for group in self.groups:
            try:
                group.reconcile()
            except OSError:  # the machine may have room for another process in a moment
                logger.exception("%s could not be started; trying again.", group.program.name)
        if os.getpid() == FIRST_PROCESS:
            reap_orphans([pid for group in self.groups for pid in group.guards()])

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End every program: TERM first, KILL after `seconds` or at a second signal."""
        self._stopping.set()
        self._stop_was_requested = False
        deadline = time.monotonic() + seconds
        for group in self.groups:
            group.terminate()
        while not all(group.has_ended() for group in self.groups):
            if time.monotonic() > deadline or self._stop_was_requested:
                logger.warning("Still running after TERM, now killed.")
                break
            time.sleep(0.05)
        for group in self.groups:
            group.kill_all()
        self._prober.join(timeout=2)
        pipes, self._pipes = self._pipes, []
        for end in pipes:
            os.close(end)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_was_requested = True
        self._wake()

    def _wake(self) -> None:
        """Let `run()` reconcile at once."""
        if self._pipes:
            os.write(self._wake_writer, b".")

    def _probe_until_stopped(self) -> None:
        is_working = True
        last_probe_at = time.monotonic()
        while not self._stopping.wait(PROBE_INTERVAL):
            try:
                # The database or the machine stalled: the programs resume no sooner than this thread does.
                has_stalled = time.monotonic() - last_probe_at > PROBE_INTERVAL + MAX_PROBE_SECONDS
                if not is_working or has_stalled:
                    for group in self.groups:
                        group.reset_grace()
                suspended = suspended_groups()
                with database_waits.at_most(MAX_PROBE_SECONDS):
                    for group in self.groups:
                        group.probe(is_suspended=group.pid in suspended)
                if any(group.is_stalled for group in self.groups):
                    self._wake()
            except Exception:  # an outage of any kind may be over in a second
                if is_working:
                    logger.exception("The supervisor's probe of the queue failed; trying again every second.")
                is_working = False
                connections.close_all()
            else:
                if not is_working:
                    logger.warning("The supervisor's probe of the queue works again.")
                is_working = True
            last_probe_at = time.monotonic()
        connections.close_all()
