"""How fast deliveries are accepted and durable, beside a view that only inserts, in alternating rounds."""

import http.client
import json
import statistics
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from integrations.lever.signature import sign

CONNECTIONS = 4
HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Round:
    """One round of load: requests a second, and the latency in milliseconds below which 99 % of them stayed."""

    rate: float
    p99_ms: float


def body(signature_token: str) -> bytes:
    """Return a fresh, signed stage change to a stage that isn't a trigger."""
    payload = {
        "id": str(uuid.uuid4()),
        "event": "candidateHired",
        "triggeredAt": int(time.time() * 1000),
        "token": uuid.uuid4().hex + uuid.uuid4().hex[:16],
        "data": {"opportunityId": str(uuid.uuid4()), "contactId": str(uuid.uuid4())},
    }
    payload["signature"] = sign(str(payload["token"]), int(str(payload["triggeredAt"])), signature_token)
    return json.dumps(payload).encode()


def load(url: str, path: str, make: Callable[[], bytes], seconds: float) -> Round:
    """Send requests over CONNECTIONS kept-alive connections for some seconds. Raises RuntimeError on a refusal."""
    latencies: list[float] = []
    refused: list[int] = []
    began = time.monotonic()

    def work() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        while time.monotonic() - began < seconds and not refused:
            document = make()
            sent = time.monotonic()
            connection.request("POST", path, document, HEADERS)
            answer = connection.getresponse()
            answer.read()
            latencies.append(time.monotonic() - sent)
            if answer.status != http.client.ACCEPTED:
                refused.append(answer.status)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if refused:
        raise RuntimeError(f"{path} answered {refused[0]}")
    ordered = sorted(latencies)
    return Round(len(ordered) / (time.monotonic() - began), ordered[int(len(ordered) * 0.99) - 1] * 1000)


def compare(
    url: str, door: str, signature_token: str, rounds: int, seconds: float
) -> tuple[list[Round], list[Round]]:
    """Return the rounds of the door and of the yardstick, alternated so that a noisy machine harms both alike."""
    doors, plains = [], []
    for _ in range(rounds):
        plains.append(load(url, "/bench/plain/", lambda: body(signature_token), seconds))
        doors.append(load(url, door, lambda: body(signature_token), seconds))
    return doors, plains


def report(doors: list[Round], plains: list[Round]) -> str:
    """Return the ratios as a person reads them: median and quartiles over the rounds."""
    ratios = sorted(door.rate / plain.rate for door, plain in zip(doors, plains, strict=True))
    tails = sorted(door.p99_ms / plain.p99_ms for door, plain in zip(doors, plains, strict=True))
    low, middle, high = statistics.quantiles(ratios, n=4)
    return (
        f"accepted and durable   {middle:.2f} × a plain insert [{low:.2f}–{high:.2f}], {len(ratios)} rounds\n"
        f"                       {statistics.median(door.rate for door in doors):.0f} beside "
        f"{statistics.median(plain.rate for plain in plains):.0f} requests a second\n"
        f"99 % answered within   {statistics.median(tails):.2f} × a plain insert's time\n"
        f"                       {statistics.median(door.p99_ms for door in doors):.1f} beside "
        f"{statistics.median(plain.p99_ms for plain in plains):.1f} ms"
    )
