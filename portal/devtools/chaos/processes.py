"""The portal and the sandbox as supervised processes, which can be killed one by one."""

import os
import random
import signal
import threading
from typing import Self

from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import leaves, members
from portal.process.startup import queue_cluster
from portal.process.supervisor import Supervisor

WEB, WORKERS = "web", "workers"
WHOLE_GROUP_EVERY = 8
WEB_SHARE = 0.25


class Processes:
    """A run's processes, under the same supervisor as in `serve`. The sandbox is never killed: it has the ledger."""

    def __init__(self, environment: DemoEnvironment) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._sandbox = Supervisor([environment.sandbox()])
        self._portal: Supervisor | None = None
        self._kills = 0

    def __enter__(self) -> Self:
        self._sandbox.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_portal()
        self._sandbox.stop()

    def start_portal(self) -> None:
        """Have the web server and the workers run. The next `reconcile()` starts them, in its thread.

        Linux ends a program when the thread that started it ends.
        """
        with self._lock:
            self._portal = Supervisor([self._environment.web_server(), queue_cluster()])

    def stop_portal(self) -> None:
        """Stop the web server and the workers; nothing listens any more."""
        with self._lock:
            if self._portal is not None:
                self._portal.stop()
                self._portal = None

    def reconcile(self) -> None:
        """Replace what has ended or stalled; to be called about every second."""
        self._sandbox.reconcile()
        with self._lock:
            if self._portal is not None:
                self._portal.reconcile()

    def group(self, name: str) -> int | None:
        """Return the process group of WEB or WORKERS, None while it isn't running."""
        with self._lock:
            runs = self._portal.runs if self._portal else {}
            return runs[name].pid if name in runs else None

    def kill(self, chance: random.Random) -> str:
        """SIGKILL one process; return the name of its program, empty if none was there.

        Mostly a process that does the work of WORKERS or WEB; now and then any process of the group, its parent and
        guard included.
        """
        with self._lock:
            if self._portal is None:
                return ""
            name = WEB if chance.random() < WEB_SHARE else WORKERS
            if name not in self._portal.runs:
                return ""
            group = self._portal.runs[name].pid
            parents = members(group)
            self._kills += 1
            is_work = self._kills % WHOLE_GROUP_EVERY
            victims = leaves(parents, group) if is_work else list(parents)
            if not victims:
                return ""
            try:
                os.kill(chance.choice(sorted(victims)), signal.SIGKILL)
            except ProcessLookupError:
                return ""
            return name
