"""Load from a process of its own, which is never the bottleneck: signed webhooks over connections that stay open.

Each connection has at most one request on its way. All requests are made before the first is sent.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings

from integrations.lever.payloads import sign
from portal.devtools.benchmarks.benchmark import p99
from portal.devtools.processes import HOST, RunFailed

SECONDS = 2
#: Seconds after its end within which the process has printed its result.
AFTERWARDS = 60
SIGNATURE_TOKEN = "bench" * 8
BUFFER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Round:
    """What came of one round of load: the answers, how many of them a second, and how long they took."""

    answers: int
    rate: float
    p99_ms: float


def send(port: int, path: str, count: int, connections: int) -> Round:
    """Send so many webhooks, or as many of them as the time allows. Raises RunFailed when one is refused."""
    argv = [sys.executable, "-m", "portal.devtools.benchmarks.load", str(port), path, str(count)]
    ended = subprocess.run(
        [*argv, str(connections)],
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.BASE_DIR,
        timeout=SECONDS + AFTERWARDS,
    )
    if ended.returncode:
        raise RunFailed(f"the load on {path} ended early: {ended.stderr.strip()}")
    return Round(**json.loads(ended.stdout.splitlines()[-1]))


def webhook(path: str) -> bytes:
    """Return a whole request with a new, signed webhook of Lever, about an event that leads to nothing."""
    token, triggered_at = uuid.uuid4().hex, int(time.time() * 1000)
    body = {
        "id": str(uuid.uuid4()),
        "event": "candidateHired",
        "triggeredAt": triggered_at,
        "token": token,
        "data": {"opportunityId": str(uuid.uuid4()), "contactId": str(uuid.uuid4()), "note": "x" * 400},
        "signature": sign(token, triggered_at, SIGNATURE_TOKEN),
    }
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


@dataclass
class Client:
    """One connection."""

    socket: socket.socket
    sent_at: float = 0.0
    answer: bytes = b""

    def send(self, request: bytes) -> None:
        """Send a request as a whole."""
        self.answer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read on. Return whether the answer is complete. Raises ConnectionError when it is no 2xx, or cut off."""
        part = self.socket.recv(BUFFER_BYTES)
        self.answer += part
        head, end, body = self.answer.partition(b"\r\n\r\n")
        if not part or (end and self.answer[9:10] != b"2"):
            raise ConnectionError(f"a webhook was answered {self.answer[:200]!r}")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return bool(end) and len(body) >= int(length)


@dataclass
class Load:
    """The connections, and what each answer took so far."""

    clients: list[Client]
    latencies_ms: list[float] = field(default_factory=list)

    def run(self, requests: Iterator[bytes]) -> Round:
        """Keep every connection busy until the time is up or the requests are sent."""
        selector = selectors.DefaultSelector()
        began = time.perf_counter()
        for client, request in zip(self.clients, requests, strict=False):
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send(request)
        while selector.get_map():
            for key, _ in selector.select():
                self._receive(selector, key.data, requests, began)
        took = time.perf_counter() - began
        return Round(len(self.latencies_ms), len(self.latencies_ms) / took, p99(self.latencies_ms))

    def _receive(
        self, selector: selectors.BaseSelector, client: Client, requests: Iterator[bytes], began: float
    ) -> None:
        if not client.receive():
            return
        now = time.perf_counter()
        self.latencies_ms.append((now - client.sent_at) * 1000)
        request = next(requests, b"") if now - began < SECONDS else b""
        if request:
            client.send(request)
        else:
            selector.unregister(client.socket)


def main(port: int, path: str, count: int, connections: int) -> None:
    """Send the load and print what came of it."""
    clients = [Client(socket.create_connection((HOST, port), timeout=30)) for _ in range(connections)]
    result = Load(clients).run(iter([webhook(path) for _ in range(count)]))
    sys.stdout.write(f"{json.dumps(vars(result))}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
