"""A server that alerts are posted to: it keeps what it got, and answers as a test says."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What was posted, and the answers to give: the last one is repeated."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(200, {})])
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    delay: float = 0.0

    @property
    def bodies(self) -> list[Any]:
        """The bodies, decoded."""
        return [json.loads(body) for _, _, body in self.requests]

    def next_answer(self) -> tuple[int, dict[str, str]]:
        """Return the answer to the next request."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run the server; its address is in this machine, which a test must allow."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            receiver.requests.append((self.path, dict(self.headers), body))
            time.sleep(receiver.delay)
            status, headers = receiver.next_answer()
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(f"echo {self.path}".encode())
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/services/T-SECRET-path"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
