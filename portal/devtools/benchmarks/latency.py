"""How long a candidate waits from the webhook to CodeScreen's call, on a node that has nothing else to do."""

import random
import statistics
import time
from collections.abc import Sequence

from integrations.outbox.models.effect import Effect
from portal.devtools.benchmarks.benchmark import Benchmark, Setup, Table, p99
from portal.devtools.benchmarks.node import Node, node_at_work
from portal.devtools.chaos import tenants

#: Candidates before the measurement: the first in each process waits twice as long, while statements are compiled.
WARM_UP = 400
MEAN_PAUSE = 0.3  # seconds between two candidates


def measure(setup: Setup) -> Table:
    """Warm the node up, and measure."""
    with node_at_work(setup) as node:
        node.invite(node.new_candidates(WARM_UP))
        moved = node.new_candidates(setup.options.candidates)
        for candidate in moved:
            time.sleep(random.expovariate(1 / MEAN_PAUSE))
            tenants.move(node.environment.lever, [candidate])
        node.wait_until_invited(moved)
        waits = _waits(node, moved)
    return Table(
        "Milliseconds from the webhook's sending to CodeScreen's call",
        ("candidates", "p50", "p99"),
        [(str(len(waits)), f"{statistics.median(waits):.0f}", f"{p99(waits):.0f}")],
    )


def _waits(node: Node, moved: Sequence[str]) -> list[float]:
    """Return what each waited, by the sandbox's book of webhooks and the row that is committed before the call."""
    deliveries = node.environment.lever.ledger(tenants.SLUG)["deliveries"]
    sent_at = {one["subject"]: one["attempts"][0]["at"] for one in deliveries}
    sendings = Effect.objects.filter(kind=Effect.Kind.SEND_INVITATION, opportunity_id__in=moved)
    began = sendings.values_list("opportunity_id", "attempt_started_at")
    return [at.timestamp() * 1000 - sent_at[opportunity] for opportunity, at in began if at]


BENCHMARK = Benchmark(
    "what a candidate waits from the webhook to CodeScreen's call when the node is idle",
    measure,
    {"candidates": (100, "one after another")},
)
