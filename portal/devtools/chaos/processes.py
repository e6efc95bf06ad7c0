"""The portal and the sandbox as supervised processes, which can be killed one by one, and a proxy before a server."""

import contextlib
import os
import random
import signal
import socket
import threading
from typing import Self

from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import HOST, leaves, members
from portal.process.startup import queue_cluster
from portal.process.supervisor import Supervisor

CHUNK = 1 << 16


class Proxy:
    """Forwards connections to one address; while it is closed, every connection ends and new ones are refused."""

    def __init__(self, port: int, target: tuple[str, int]) -> None:
        self.port = port
        self._target = target
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Accept connections from now on."""
        self._listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def close(self) -> None:
        """End every connection and refuse new ones."""
        listener, self._listener = self._listener, None
        if listener is not None:
            _end(listener)
        while self._ends:
            _end(self._ends.pop())

    def _accept(self, listener: socket.socket) -> None:
        while listener is self._listener:
            with contextlib.suppress(OSError):  # it was closed, or the server is away
                client, _ = listener.accept()
                self._ends.append(client)
                server = socket.create_connection(self._target)
                self._ends.append(server)
                if listener is not self._listener:  # it was closed meanwhile
                    self.close()
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=_copy, args=[source, target], daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK):
            target.sendall(chunk)
    _end(source)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # this ends a waiting accept() or recv(); closing alone doesn't
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


WEB, WORKERS = "web", "workers"
WHOLE_GROUP_EVERY = 8
WEB_SHARE = 0.25


class Processes:
    """A run's processes, under the same supervisor as in `serve`. The sandbox is never killed: it has the ledger."""

    def __init__(self, environment: DemoEnvironment, redis: Proxy | None = None) -> None:
        self.redis = redis  # the proxy before it, in a run in which it becomes unreachable
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
