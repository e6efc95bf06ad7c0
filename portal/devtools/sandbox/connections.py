"""HTTP/1.1 over sockets: keep-alive, quick, and able to reset, hold or cut an answer on purpose; other protocols."""

import select
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

from portal.devtools.sandbox.messages import Request, Response, build_request

MAX_BODY = 32 * 1024 * 1024
BODILESS_STATUSES = frozenset({204, 304})


@dataclass(slots=True)
class Exchange:
    """The answer to one request, and what becomes of it on the connection."""

    response: Response | None
    is_truncated: bool = False  # half the body, then the connection is closed
    hold_ms: int = 0  # without a response: for so long nothing, then a reset


class ThreadServer(ThreadingTCPServer):
    """A server of any protocol in a thread of its own, with one more per connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], handler: type[BaseRequestHandler]) -> None:
        super().__init__(address, handler)
        self.port: int = self.server_address[1]
        self._open: set[Any] = set()
        # tests stop hundreds of them, and each is to end at once
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def start(self) -> None:
        """Serve and return at once."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more, and close every open connection, which ends the threads that wait on them."""
        if self._thread.is_alive():
            stopping = Thread(target=self.shutdown)
            stopping.start()
            with suppress(OSError):  # so that it looks up at once
                socket.create_connection(self.socket.getsockname(), timeout=1).close()
            stopping.join()
            self._thread.join()
        self.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report no callers that hang up: fault runs are full of them."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class HttpServer(ThreadServer):
    """An HTTP server of a name, whose requests a function answers."""

    def __init__(self, address: tuple[str, int], name: str, exchange: Callable[[Request], Exchange]) -> None:
        self.name = name
        self.exchange = exchange
        super().__init__(address, _Connection)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer

    def __getattr__(self, name: str) -> Callable[[], None]:
        # http.server asks for do_GET, do_POST and so on; every method is handled alike here.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write no access log."""

    def _answer(self) -> None:
        body = self._read_body()
        if body is None:
            self.close_connection = True
            self._send(Response(status=413))
            return
        request = build_request(self.command, self.path, self.headers.items(), body)
        with request:  # closes uploaded files
            exchange = self.server.exchange(request)
        if exchange.response is not None:
            self._send(exchange.response, truncate=exchange.is_truncated)
        else:
            self._hold(exchange.hold_ms)

    def _read_body(self) -> bytes | None:
        """Return the body, or None for one too large or of unknown length."""
        length = self.headers.get("Content-Length") or "0"
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > MAX_BODY:
            return None
        return self.rfile.read(int(length)) if int(length) > 0 else b""

    def _send(self, response: Response, *, truncate: bool = False) -> None:
        self.send_response(response.status_code)
        for name, value in response.headers:
            self.send_header(name, value)
        if "Content-Length" not in response.headers and response.status_code not in BODILESS_STATUSES:
            self.send_header("Content-Length", "0")
        self.end_headers()
        body = b"" if self.command == "HEAD" else response.get_data()
        if truncate:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def version_string(self) -> str:
        """Return the platform's name for the Server header."""
        return self.server.name

    def _hold(self, hold_ms: int) -> None:
        """Send nothing until the caller hangs up or the time is over, then close the connection with a TCP reset."""
        poller = select.poll()
        poller.register(self.connection, select.POLLIN | select.POLLHUP)
        poller.poll(hold_ms)
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Closing the socket object would wait for its file objects; closing the descriptor doesn't.
        socket.close(self.connection.detach())
