"""HTTP/1.1 on the wire: keep-alive, quick, and able to hang up, hold on or stop halfway."""

import select
import socket
import struct
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock
from typing import Any, ClassVar, Protocol

from portal.devtools.sandbox.http import Request, Response

MAX_BODY = 32 * 1024 * 1024


@dataclass(slots=True)
class Outcome:
    """How an exchange ends on the wire."""

    response: Response | None
    ending: str = "send"  # send, reset, hold or truncate
    hold_ms: int = 0


class Exchanger(Protocol):
    """What answers the requests."""

    server_name: ClassVar[str]

    def exchange(self, request: Request) -> Outcome:
        """Answer one request, with whatever fault is due."""


class HttpServer(ThreadingHTTPServer):
    """A thread per connection, keep-alive, and every open connection within reach."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], sandbox: Exchanger) -> None:
        self.sandbox = sandbox
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._open: set[socket.socket] = set()
        self._open_lock = Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look up this machine's full name, which can take seconds without a network.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """Wake every handler that waits for a request or holds one."""
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about callers that hang up, which fault runs are full of."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer

    def __getattr__(self, name: str) -> Any:
        # http.server asks for do_GET, do_POST and so on; every method goes the same way here.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Write no access log: the books say what happened."""

    def _answer(self) -> None:
        sandbox = self.server.sandbox
        body = self._read_body()
        if body is None:
            self.close_connection = True
            self._send(Response(413))
            return
        outcome = sandbox.exchange(Request(self.command, self.path, self.headers, body))
        if outcome.ending == "reset":
            self._reset()
        elif outcome.ending == "hold":
            self._hold(outcome.hold_ms)
        elif outcome.response is not None:
            self._send(outcome.response, truncate=outcome.ending == "truncate")

    def _read_body(self) -> bytes | None:
        """Return the body, or None for one too large or of unknown length."""
        length = self.headers.get("Content-Length") or "0"
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > MAX_BODY:
            return None
        return self.rfile.read(int(length)) if int(length) > 0 else b""

    def _send(self, response: Response, *, truncate: bool = False) -> None:
        head = response.head(self.server.sandbox.server_name, close=self.close_connection)
        body = b"" if self.command == "HEAD" else response.body
        if truncate:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.connection.sendall(head + body)

    def _hold(self, hold_ms: int) -> None:
        """Say nothing until the caller gives up or the time is over, then hang up."""
        poller = select.poll()
        poller.register(self.connection, select.POLLIN | select.POLLHUP)
        poller.poll(hold_ms)
        self._reset()

    def _reset(self) -> None:
        """Hang up with a TCP reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Closing the socket object would wait for its file objects; closing the descriptor doesn't.
        socket.close(self.connection.detach())
