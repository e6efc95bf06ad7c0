"""A client that costs little: sends ready-made requests over kept-alive sockets. Run where wrk isn't installed.

Arguments: port, file of requests, connections, seconds. Prints the same JSON as the script for wrk.
"""

import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from portal.devtools.benchmarks import ready_requests
from portal.devtools.benchmarks.report import percentile
from portal.devtools.ports import HOST

BUFFER_BYTES = 64 * 1024


@dataclass
class Client:
    """One connection with at most one request on its way."""

    socket: socket.socket
    sent_at: float = 0.0
    answer: bytes = b""

    def send(self, request: bytes) -> None:
        """Send a request as a whole."""
        self.answer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read on. Return whether the answer is complete. Raises ConnectionError when the server closed."""
        part = self.socket.recv(BUFFER_BYTES)
        if not part:
            raise ConnectionError("the server closed the connection")
        self.answer += part
        head, end, body = self.answer.partition(b"\r\n\r\n")
        return bool(end) and len(body) >= _content_length(head)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.answer[9:12])


@dataclass
class Load:
    """What came of the requests so far."""

    latencies_ms: list[float] = field(default_factory=list)
    refused: int = 0

    def run(self, clients: list[Client], requests: Iterator[bytes], seconds: float) -> float:
        """Keep every connection busy until the time is up or the requests are sent. Return how long it took."""
        selector = selectors.DefaultSelector()
        began = time.perf_counter()
        for client, request in zip(clients, requests, strict=False):
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send(request)
        while selector.get_map():
            for key, _ in selector.select():
                client = key.data
                if not client.receive():
                    continue
                now = time.perf_counter()
                self.latencies_ms.append((now - client.sent_at) * 1000)
                self.refused += client.status >= 400
                request = next(requests, b"") if now - began < seconds else b""
                if request:
                    client.send(request)
                else:
                    selector.unregister(client.socket)
        return time.perf_counter() - began


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def main(port: int, path: Path, connections: int, seconds: float) -> None:
    """Send the load and print what came of it."""
    clients = [Client(socket.create_connection((HOST, port), timeout=30)) for _ in range(connections)]
    load = Load()
    took = load.run(clients, ready_requests.read(path), seconds)
    result = {
        "answers": len(load.latencies_ms),
        "refused": load.refused,
        "broken": 0,
        "seconds": took,
        "p50_ms": percentile(load.latencies_ms, 50),
        "p99_ms": percentile(load.latencies_ms, 99),
        "max_ms": max(load.latencies_ms),
    }
    sys.stdout.write(f"RESULT {json.dumps(result)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
