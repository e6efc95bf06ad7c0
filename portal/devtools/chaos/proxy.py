"""A TCP proxy before a server that the portal needs, which can make the server unreachable and reachable again."""

import contextlib
import selectors
import socket
import threading
import time
from typing import Self

CHUNK = 1 << 16
SELECT_SECONDS = 0.2


class Proxy:
    """Forwards connections to one address; while it is closed, every connection ends and new ones are refused."""

    def __init__(self, port: int, target: tuple[str, int]) -> None:
        self.port = port
        self._target = target
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        #: While it is set, connections are accepted and kept, and nothing is passed on.
        self.is_silent = False

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Accept connections from now on."""
        with self._lock:
            if self._listener is None:
                self._listener = socket.create_server(("127.0.0.1", self.port))
                threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def close(self) -> None:
        """End every connection and refuse new ones."""
        with self._lock:
            listener, self._listener = self._listener, None
            pairs, self._pairs = self._pairs, []
            if listener is not None:
                _end(listener)
            for pair in pairs:
                for end in pair:
                    _end(end)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # it was closed
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                _end(client)
                continue
            server.settimeout(None)
            with self._lock:
                if self._listener is not listener:
                    _end(client)
                    _end(server)
                    return
                self._pairs.append((client, server))
            threading.Thread(target=self._forward, args=[client, server], daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        with selectors.DefaultSelector() as selector, contextlib.suppress(OSError, ValueError):
            for end in other:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(end, selectors.EVENT_READ)
            while self._is_open(client):
                if self.is_silent:
                    time.sleep(SELECT_SECONDS)
                    continue
                for key, _ in selector.select(SELECT_SECONDS):
                    source = client if key.fileobj is client else server
                    chunk = source.recv(CHUNK)
                    if not chunk:
                        return self._drop(client, server)
                    other[source].sendall(chunk)
        return self._drop(client, server)

    def _is_open(self, client: socket.socket) -> bool:
        with self._lock:
            return any(pair[0] is client for pair in self._pairs)

    def _drop(self, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            self._pairs = [pair for pair in self._pairs if pair[0] is not client]
        _end(client)
        _end(server)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # this ends a waiting accept() or recv(); closing alone doesn't
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
