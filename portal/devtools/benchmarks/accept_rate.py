"""How fast the webhook endpoint stores deliveries, beside a view that only inserts a row, in alternating rounds."""

import http.client
import json
import statistics
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from integrations.lever.signature import sign
from portal.devtools.threads import run_in_threads

CONNECTIONS = 4
HEADERS = {"Content-Type": "application/json"}
BASELINE_PATH = "/bench/plain/"


@dataclass(frozen=True)
class Round:
    """One round of load: requests a second, and the milliseconds within which 99 % of them were answered."""

    rate: float
    p99_ms: float


@dataclass(frozen=True)
class Comparison:
    """The rounds of the webhook endpoint and of the baseline, in the order in which they alternated."""

    endpoint: list[Round]
    baseline: list[Round]

    def as_text(self) -> str:
        """Return the ratios for people: median and quartiles over the rounds."""
        pairs = list(zip(self.endpoint, self.baseline, strict=True))
        rates = [endpoint.rate / baseline.rate for endpoint, baseline in pairs]
        latencies = [endpoint.p99_ms / baseline.p99_ms for endpoint, baseline in pairs]
        low, middle, high = statistics.quantiles(rates, n=4)
        return (
            f"accepted and durable   {middle:.2f} × a plain insert [{low:.2f}–{high:.2f}], {len(pairs)} rounds\n"
            f"                       {statistics.median(one.rate for one in self.endpoint):.0f} beside "
            f"{statistics.median(one.rate for one in self.baseline):.0f} requests a second\n"
            f"99 % answered within   {statistics.median(latencies):.2f} × a plain insert's time\n"
            f"                       {statistics.median(one.p99_ms for one in self.endpoint):.1f} beside "
            f"{statistics.median(one.p99_ms for one in self.baseline):.1f} ms"
        )


def compare(url: str, endpoint_path: str, signature_token: str, rounds: int, seconds: float) -> Comparison:
    """Load both views in turns, so that a busy machine slows both alike. Raises RuntimeError on a refusal."""
    comparison = Comparison([], [])
    for _ in range(rounds):
        comparison.baseline.append(load(url, BASELINE_PATH, signature_token, seconds))
        comparison.endpoint.append(load(url, endpoint_path, signature_token, seconds))
    return comparison


def load(url: str, path: str, signature_token: str, seconds: float) -> Round:
    """Send webhooks over CONNECTIONS kept-alive connections for some seconds. Raises RuntimeError on a refusal."""
    latencies: list[float] = []
    refused: list[int] = []
    began = time.monotonic()

    def send_until_the_time_is_up() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        while time.monotonic() - began < seconds and not refused:
            body = make_body(signature_token)
            sent_at = time.monotonic()
            connection.request("POST", path, body, HEADERS)
            response = connection.getresponse()
            response.read()
            latencies.append(time.monotonic() - sent_at)
            if response.status != http.client.ACCEPTED:
                refused.append(response.status)
        connection.close()

    run_in_threads([send_until_the_time_is_up] * CONNECTIONS)
    if refused:
        raise RuntimeError(f"{path} answered {refused[0]}")
    latencies.sort()
    p99_ms = latencies[int(len(latencies) * 0.99) - 1] * 1000
    return Round(len(latencies) / (time.monotonic() - began), p99_ms)


def make_body(signature_token: str) -> bytes:
    """Return a new, signed webhook of Lever about an event that leads to nothing."""
    token, triggered_at = uuid.uuid4().hex + uuid.uuid4().hex[:16], int(time.time() * 1000)
    payload = {
        "id": str(uuid.uuid4()),
        "event": "candidateHired",
        "triggeredAt": triggered_at,
        "token": token,
        "data": {"opportunityId": str(uuid.uuid4()), "contactId": str(uuid.uuid4())},
        "signature": sign(token, triggered_at, signature_token),
    }
    return json.dumps(payload).encode()
