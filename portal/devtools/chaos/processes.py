"""The portal and the sandbox as processes of their own, which can be stopped and killed one by one."""

import os
import random
import signal
import threading
from pathlib import Path
from typing import Self

from integrations.queue import notify
from portal.devtools.chaos.proxy import Proxy
from portal.devtools.demo.environment import HOST, Stage
from portal.management.commands.serve import web, workers
from portal.process.supervisor import Supervisor

WHOLE_GROUP_EVERY = 8


class Programs:
    """What runs, under the same supervisor as in `serve`. The sandbox is never killed: it keeps the books."""

    def __init__(self, stage: Stage, redis: Proxy | None = None) -> None:
        self.redis = redis  # what stands before it where it is to be away
        self._stage = stage
        self._lock = threading.Lock()
        self._sandbox = Supervisor([stage.sandbox()])
        self._portal: Supervisor | None = None
        self._kills = 0
        self._clusters: set[int] = set()

    def __enter__(self) -> Self:
        self._sandbox.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_portal()
        self._sandbox.stop()

    def start_portal(self, has_workers: bool = True) -> None:
        """Start the web server and the workers."""
        with self._lock:
            programs = [web(HOST, self._stage.port), *([workers()] if has_workers else [])]
            self._portal = Supervisor(programs, every_second=notify.notify_if_due).__enter__()

    def stop_portal(self) -> None:
        """Stop the web server and the workers; nothing listens any more."""
        with self._lock:
            if self._portal is not None:
                self._portal.stop()
                self._portal = None

    def tend(self) -> None:
        """Replace what has ended or stalled; to be called about every second."""
        self._sandbox.reconcile()
        with self._lock:
            if self._portal is not None:
                self._portal.reconcile()
                groups = [group for group in self._portal.groups if group.program.name == "workers"]
                self._clusters.update(group.pid for group in groups if group.pid is not None)

    @property
    def clusters(self) -> int:
        """How many clusters of workers were started so far, one after another."""
        return len(self._clusters)

    def group(self, name: str) -> int | None:
        """Return the process group of `web` or `workers`, None while it isn't running."""
        with self._lock:
            groups = self._portal.groups if self._portal else []
            return next((group.pid for group in groups if group.program.name == name), None)

    def kill(self, chance: random.Random, only: str = "") -> str:
        """SIGKILL one process of the workers or of the web server; which, empty when none was there.

        Mostly one that does the work; now and then any of the group, its parent or guard too. `only` names the
        program whose processes that do the work are meant.
        """
        with self._lock:
            if self._portal is None:
                return ""
            names = [only] if only else ["web"] if chance.random() < 0.25 else ["workers"]
            group = next(group for group in self._portal.groups if group.program.name in names)
            if group.pid is None:
                return ""
            family = members(group.pid)
            self._kills += 1
            is_work = only or self._kills % WHOLE_GROUP_EVERY
            victims = leaves(family, group.pid) if is_work else list(family)
            if not victims:
                return ""
            try:
                os.kill(chance.choice(sorted(victims)), signal.SIGKILL)
            except ProcessLookupError:
                return ""
            return group.program.name


def leaves(family: dict[int, int], group: int) -> list[int]:
    """Return the processes of a group that do its work: those without children of their own."""
    parents = set(family.values())
    return [pid for pid in family if pid not in parents and pid != group]


def members(group: int) -> dict[int, int]:
    """Return the processes of a process group, each with its parent's id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:  # it ended meanwhile
            continue
        state, parent, its_group = stat.rpartition(")")[2].split()[:3]
        if int(its_group) == group and state != "Z":
            found[int(entry.name)] = int(parent)
    return found
