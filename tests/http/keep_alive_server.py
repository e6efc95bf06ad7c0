"""A server that keeps connections open, counts them, and closes some at a bad moment."""

import socket
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass
class Seen:
    """What arrived on one connection."""

    methods: list[str] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    cookies: list[str] = field(default_factory=list)
    is_open: bool = True


class KeepAliveServer(ThreadingHTTPServer):
    """Answers every request with its path.

    `answers_on_each` is how many requests of a connection are answered: it is closed at the next one, without an
    answer. `headers` are sent with every answer.
    """

    block_on_close = False

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        scheme, host = ("https", "localhost") if context else ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self.server_address[1]}"
        self.connections: list[Seen] = []
        self.sockets: list[socket.socket] = []
        self.answers_on_each = 1_000_000
        self.headers: dict[str, str] = {}

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def open_connections(self) -> int:
        """How many connections the caller hasn't closed."""
        return sum(seen.is_open for seen in self.connections)

    def close_connections(self) -> None:
        """Close every connection, as servers do with idle ones."""
        for one in self.sockets:
            one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Report no callers that hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: KeepAliveServer

    def setup(self) -> None:
        super().setup()
        self.seen = Seen()
        self.server.connections.append(self.seen)
        self.server.sockets.append(self.connection)

    def finish(self) -> None:
        self.seen.is_open = False
        super().finish()

    def do_GET(self) -> None:
        """Answer with the path, or close the connection in place of an answer."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.methods.append(self.command)
        self.seen.authorizations.add(self.headers.get("Authorization", ""))
        self.seen.cookies.append(self.headers.get("Cookie", ""))
        if len(self.seen.methods) > self.server.answers_on_each:
            self.close_connection = True
            return
        body = f'"{self.path}"'.encode()
        self.send_response(200)
        for name, value in {"Content-Length": str(len(body)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Answer as to a read."""
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write no log."""
