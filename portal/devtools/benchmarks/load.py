"""Load from a process of its own, which is never the bottleneck: signed webhooks over connections that stay open.

Each connection has at most one request on its way. All requests are made before the first is sent.
"""

import asyncio
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from integrations.lever.payloads import sign
from portal.devtools.benchmarks.benchmark import p99
from portal.devtools.processes import HOST, RunFailed

SECONDS = 2
#: Seconds after its end within which the process has printed its result.
AFTERWARDS = 60
SIGNATURE_TOKEN = "bench" * 8


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


async def read_answer(reader: asyncio.StreamReader) -> None:
    """Read one answer whole. Raises ConnectionError when it is no 2xx, or cut off."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise ConnectionError(f"a webhook was answered {error.partial!r}") from error
    if head[9:10] != b"2":
        raise ConnectionError(f"a webhook was answered {head!r}")


async def _keep_busy(port: int, requests: Iterator[bytes], until: float, latencies_ms: list[float]) -> None:
    """Send requests over one connection until the time is up or all are sent."""
    reader, writer = await asyncio.open_connection(HOST, port)
    for request in requests:
        sent_at = time.perf_counter()
        writer.write(request)
        await read_answer(reader)
        now = time.perf_counter()
        latencies_ms.append((now - sent_at) * 1000)
        if now > until:
            break
    writer.close()


async def main(port: int, path: str, count: int, connections: int) -> Round:
    """Keep every connection busy, and return what came of it."""
    requests, latencies_ms = iter([webhook(path) for _ in range(count)]), list[float]()
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_keep_busy(port, requests, began + SECONDS, latencies_ms))
    took = time.perf_counter() - began
    return Round(len(latencies_ms), len(latencies_ms) / took, p99(latencies_ms))


if __name__ == "__main__":
    _, port, path, count, connections = sys.argv
    result = asyncio.run(main(int(port), path, int(count), int(connections)))
    sys.stdout.write(f"{json.dumps(vars(result))}\n")
