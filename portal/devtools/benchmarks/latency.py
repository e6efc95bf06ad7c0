"""How long a candidate waits from the webhook to CodeScreen's call, on a node that has nothing else to do."""

import random
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from functools import partial

from portal.devtools.benchmarks.benchmark import Benchmark, Setup, Table, p99
from portal.devtools.benchmarks.node import WEB_CONNECTIONS, Node, calls_to, new_candidates, node_at_work
from portal.devtools.processes import run_in_threads

#: Candidates before the measurement: the first in each process waits twice as long, while statements are compiled.
WARM_UP = 400
MEAN_PAUSE = 0.3  # seconds between two candidates


class LatencyBenchmark(Benchmark):
    """Webhook → CodeScreen's call, for one candidate at a time."""

    name = "latency"
    help = "what a candidate waits from the webhook to CodeScreen's call when the node is idle"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how many candidates, and how fast the platforms answer."""
        parser.add_argument("--candidates", type=int, default=100, help="one after another (default 100)")
        parser.add_argument("--answer-ms", type=float, default=1.0, help="of both platforms (default 1)")

    def run(self, setup: Setup) -> Table:
        """Warm the node up, and measure."""
        options = setup.options
        with node_at_work(setup) as node:
            warm_up = new_candidates(WARM_UP)
            node.move(warm_up)
            node.wait_until_invited(warm_up)
            waits = _waits(node, _move_at_random(node, options.candidates), options.answer_ms)
        return Table(
            f"Milliseconds from the webhook's sending to CodeScreen's call, without Lever's {options.answer_ms:g} ms "
            "for each call before",
            ("candidates", "p50", "p99"),
            [(str(len(waits)), f"{statistics.median(waits):.0f}", f"{p99(waits):.0f}")],
        )


def _move_at_random(node: Node, count: int) -> dict[str, float]:
    """Move so many candidates at random moments; return when, once all are invited."""
    moved, sent, at = new_candidates(count), dict[str, float](), time.time()
    moments = {}
    for candidate in moved:
        moments[candidate] = at
        at += random.expovariate(1 / MEAN_PAUSE)

    def move_share(first: int) -> None:
        for candidate in moved[first::WEB_CONNECTIONS]:
            time.sleep(max(0.0, moments[candidate] - time.time()))
            sent[candidate] = time.time()
            node.move([candidate], 1)

    run_in_threads([partial(move_share, first) for first in range(WEB_CONNECTIONS)])
    node.wait_until_invited(moved)
    return sent


def _waits(node: Node, sent: Mapping[str, float], answer_ms: float) -> list[float]:
    """Return what each waited, by the platforms' notes of when they were called."""
    lever = calls_to(node.lever)
    invitations = [call for call in calls_to(node.codescreen) if call[1] == "POST"]
    waits = []
    for candidate, sent_at in sent.items():
        invited_at = next(at for at, _, _, body in invitations if candidate in body)
        calls_before = sum(at < invited_at and candidate in path for at, _, path, _ in lever)
        waits.append((invited_at - sent_at) * 1000 - calls_before * answer_ms)
    return waits
