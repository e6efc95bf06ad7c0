"""Webhooks as complete HTTP requests, made before a round so that making them costs the load nothing, and a client."""

import json
import selectors
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from integrations.lever.payloads import sign
from portal.devtools.benchmarks.benchmark import percentile
from portal.devtools.processes import HOST

#: How many digits the length of each request has in a file.
LENGTH_DIGITS = 8

type Body = dict[str, object]


def padding(size: int) -> list[Body]:
    """Return fields such as webhooks have, about so many bytes of JSON."""
    one = {
        "id": "0f0e0d0c-0b0a-4a4b-8c8d-1a2b3c4d5e6f",
        "text": "Custom field",
        "value": "x" * 24,
        "order": 12,
    }
    return [one] * max(0, size // (len(json.dumps(one)) + 2))


def lever(path: str, signature_token: str, size: int) -> bytes:
    """Return a request with a new, signed webhook of Lever, about an event that leads to nothing."""
    token, triggered_at = uuid.uuid4().hex + uuid.uuid4().hex[:16], int(time.time() * 1000)
    payload = {
        "id": str(uuid.uuid4()),
        "event": "candidateHired",
        "triggeredAt": triggered_at,
        "token": token,
        "data": {
            "opportunityId": str(uuid.uuid4()),
            "contactId": str(uuid.uuid4()),
            "fields": padding(size - 400),
        },
        "signature": sign(token, triggered_at, signature_token),
    }
    return post(path, json.dumps(payload).encode())


def post(path: str, body: bytes) -> bytes:
    """Return a whole POST request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def write(path: Path, count: int, make: Callable[[], bytes]) -> None:
    """Write so many requests into a file, each after its length."""
    with path.open("wb") as file:
        for _ in range(count):
            request = make()
            file.write(f"{len(request):0{LENGTH_DIGITS}d}".encode() + request)


def read(path: Path) -> Iterator[bytes]:
    """Return the requests of a file."""
    with path.open("rb") as file:
        while length := file.read(LENGTH_DIGITS):
            yield file.read(int(length))


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
        return bool(end) and _is_whole(head, body)

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


def _is_whole(head: bytes, body: bytes) -> bool:
    """Whether the body is complete: by its length, or in chunks, as gunicorn sends what Django gave no length."""
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    headers = {name: value.strip() for name, _, value in lines}
    if headers.get(b"transfer-encoding") == b"chunked":
        return _has_last_chunk(body)
    return len(body) >= int(headers.get(b"content-length", 0))


def _has_last_chunk(body: bytes) -> bool:
    while True:
        size, end, body = body.partition(b"\r\n")
        if not end:
            return False
        if not int(size, 16):
            return body == b"\r\n"
        body = body[int(size, 16) + 2 :]


def main(port: int, path: Path, connections: int, seconds: float) -> None:
    """Send the load and print what came of it."""
    clients = [Client(socket.create_connection((HOST, port), timeout=30)) for _ in range(connections)]
    load = Load()
    took = load.run(clients, read(path), seconds)
    result = {
        "answers": len(load.latencies_ms),
        "refused": load.refused,
        "seconds": took,
        "p50_ms": percentile(load.latencies_ms, 50),
        "p99_ms": percentile(load.latencies_ms, 99),
        "max_ms": max(load.latencies_ms),
    }
    sys.stdout.write(f"RESULT {json.dumps(result)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
