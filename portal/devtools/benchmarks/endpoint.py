"""How fast the webhook endpoint stores deliveries, beside a view that only inserts a row, in alternating rounds."""

import http.client
import json
import time
import uuid
from argparse import ArgumentParser
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from django.db import connections

from integrations.lever.signature import sign
from integrations.models import LeverWebhook, Organization
from portal.devtools.benchmarks.benchmark import Benchmark, Setup
from portal.devtools.benchmarks.report import Report, Spread, Table, ratios
from portal.devtools.threads import run_in_threads
from portal.devtools.waiting import wait_for_url
from portal.process.supervisor import Supervisor

CONNECTIONS = 4
HEADERS = {"Content-Type": "application/json"}
SIGNATURE_TOKEN = "bench" * 8
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


class EndpointBenchmark(Benchmark):
    """Lever's webhook endpoint beside a view that only inserts a row."""

    name = "endpoint"
    help = "Lever's webhook endpoint beside a view that only inserts a row"
    settings = "portal.devtools.benchmarks.settings"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the rounds and their length."""
        parser.add_argument(
            "--rounds", type=int, default=8, help="alternating rounds (default 8; 24 for a release)"
        )
        parser.add_argument("--seconds", type=float, default=2.0, help="length of a round (default 2)")

    def run(self, setup: Setup) -> Report:
        """Load both views in turns."""
        organization = Organization.objects.create(name="Bench", slug="bench")
        LeverWebhook.objects.create(organization=organization, signature_token=SIGNATURE_TOKEN)
        url, path = setup.environment.portal_url, f"/webhooks/lever/{organization.webhook_key}/"
        connections.close_all()
        with Supervisor([setup.environment.web_server()]):
            wait_for_url(f"{url}/healthz/live")
            compare(url, path, SIGNATURE_TOKEN, 1, 1.0)  # warm up
            comparison = compare(url, path, SIGNATURE_TOKEN, setup.options.rounds, setup.options.seconds)
        endpoint, baseline = comparison.endpoint, comparison.baseline
        rates = ratios([one.rate for one in endpoint], [one.rate for one in baseline])
        latencies = ratios([one.p99_ms for one in endpoint], [one.p99_ms for one in baseline])
        table = Table(
            f"Webhooks, {CONNECTIONS} connections, {len(endpoint)} rounds", ("figure", "÷ bare insert view")
        )
        table.rows.append(("requests a second", Spread.of(rates).as_text()))
        table.rows.append(("p99", Spread.of(latencies).as_text()))
        numbers = {
            "endpoint": [asdict(one) for one in endpoint],
            "baseline": [asdict(one) for one in baseline],
        }
        return Report([table], numbers)


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
