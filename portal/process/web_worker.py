"""The worker class of the web server: gunicorn forks, replaces and stops it, waitress serves in it.

gunicorn's own threads read requests as their clients send them: as many slow clients as there are threads stop it.
"""

import os
import resource
import socket
import time
from collections.abc import Mapping
from types import FrameType, MappingProxyType
from typing import Any

from django.conf import settings
from gunicorn.workers.base import Worker
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from portal.process import database_waits
from portal.process.web_connection import Connection, serving
from portal.process.web_loop import WebLoop, new_loop

LOOP_SECONDS = 1.0
LARGEST_HEAD = 32 * 1024
#: Connections of one process, as far as the machine allows; of more, the one that has waited longest is closed.
MOST_CONNECTIONS = 2000
#: Descriptors for everything but connections: the database, files, platforms.
OTHER_DESCRIPTORS = 200
#: How long a stopping worker waits for the rest of a request that has begun to arrive.
STOP_WAIT_SECONDS = 2.0
#: How long a page waits for one answer of the database, which ends a wait for a lock sooner (db_timeouts).
DATABASE_SECONDS = 15.0
#: Probes that have a thread of their own: all others may wait for a database that has fallen silent. The first asks no
#: database and no Redis, the second is answered in time whatever the database does.
PROBES = ("/healthz/live", "/healthz/ready")


class Server(TcpWSGIServer):
    """One listening socket, whose connections have deadlines and make room for new ones."""

    channel_class = Connection
    active_channels: dict[int, Connection]  # type: ignore[assignment]  # waitress makes them of the class above
    most_connections = MOST_CONNECTIONS
    _map: WebLoop
    probes: Mapping[str, ThreadedTaskDispatcher] = MappingProxyType({})

    def add_task(self, task: Connection) -> None:
        """Give a request that has arrived to a thread."""
        own = self.probes.get(task.next_path)
        dispatcher: Any = own or self.task_dispatcher  # type: ignore[attr-defined]
        dispatcher.add_task(task)

    def pull_trigger(self) -> None:
        """Wake the loop; not when this thread's connection only waits for its next request from now on."""
        connection = serving.connection
        if connection is None or not self._map.take_back(connection):
            super().pull_trigger()

    def maintenance(self, now: float) -> None:
        """Close what is overdue; called about every second."""
        for connection in list(self.active_channels.values()):
            connection.end_if_overdue(now)

    def handle_accept(self) -> None:
        """Accept a connection, in place of the one that has waited longest if there are too many."""
        if len(self.active_channels) >= self.most_connections:
            waiting = [one for one in self.active_channels.values() if one.waits_since is not None]
            if waiting:
                min(waiting, key=lambda one: one.waits_since or 0.0).handle_close()
        super().handle_accept()

    def stop_accepting(self) -> None:
        """Leave new connections to other processes."""
        self.accepting = False
        self.del_channel()
        self.socket.close()


def _threads(count: int) -> ThreadedTaskDispatcher:
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(count)
    return dispatcher


class BufferingWorker(Worker):
    """A gunicorn worker that gives a request to one of its threads once it has arrived completely."""

    servers: list[Server]

    def run(self) -> None:
        """Serve until TERM; then end what is in flight, within gunicorn's graceful time-out."""
        database_waits.set_longest(DATABASE_SECONDS)
        dispatcher = _threads(self.cfg.threads)
        probes = {path: _threads(1) for path in PROBES}
        self.loop = new_loop()
        self.servers = [self._server(sock, dispatcher) for sock in self.sockets]
        for server in self.servers:
            server.probes = probes
        while self.alive:
            if os.getppid() != self.ppid:
                self.log.info("The parent process has ended; so does this worker.")
                break
            self._serve_once(LOOP_SECONDS)
        self._drain()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        super().handle_exit(sig, frame)
        for server in getattr(self, "servers", ()):
            server.pull_trigger()  # else the loop would wait for its next event

    def _server(self, wrapped: object, dispatcher: ThreadedTaskDispatcher) -> Server:
        raw: socket.socket = getattr(wrapped, "sock")  # noqa: B009 - gunicorn wraps the socket, without types
        adjustments = Adjustments(
            sockets=[raw],
            threads=self.cfg.threads,
            ident=None,
            max_request_header_size=LARGEST_HEAD,
            # waitress refuses this size already, Django what is larger than its own limit
            max_request_body_size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1,
            inbuf_overflow=2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE,  # nothing is written to a temporary file
            connection_limit=10 * MOST_CONNECTIONS,  # the server makes room instead
            cleanup_interval=1,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=False,  # TRUSTED_PROXIES says what they are worth
            log_socket_errors=False,
        )
        info = (raw.family, raw.type, raw.proto, raw.getsockname())
        server = Server(
            self.wsgi,
            self.loop,
            _sock=raw,
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=info,
            bind_socket=False,
        )
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        server.most_connections = max(100, min(MOST_CONNECTIONS, soft - OTHER_DESCRIPTORS))
        return server

    def _serve_once(self, seconds: float) -> None:
        """Wait for events and handle them, and tell gunicorn that this process is alive."""
        self.notify()
        self.loop.run_once(seconds)

    def _drain(self) -> None:
        """Accept nothing more; return once every request that was complete is answered, or when time is up."""
        for server in self.servers:
            server.stop_accepting()
        began_at = time.time()
        while time.time() - began_at < self.cfg.graceful_timeout:
            is_waiting = time.time() - began_at < STOP_WAIT_SECONDS
            open_ones = [one for server in self.servers for one in list(server.active_channels.values())]
            for connection in open_ones:
                if connection.is_at_rest and not (connection.request is not None and is_waiting):
                    connection.handle_close()
            if not any(server.active_channels for server in self.servers):
                return
            self._serve_once(0.1)
