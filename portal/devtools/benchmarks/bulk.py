"""A bulk move at the rate that Lever allows: its time beside the least that its calls take, and how many it makes."""

from integrations.clients.models import ApiCall
from integrations.core.vocabulary import Platform
from integrations.store import database
from portal.devtools.benchmarks.benchmark import WITHOUT_POLLS, Benchmark, Setup, Table
from portal.devtools.benchmarks.node import node_at_work

#: Calls that Lever allows an account: each second, and at once after a rest.
LEVER_RATE, LEVER_BURST = 10.0, 20


def measure(setup: Setup) -> Table:
    """Move the candidates. Raises RunFailed when a promise was broken."""
    count = setup.options.candidates
    with node_at_work(setup, is_limited=True) as node:
        moved, began = node.new_candidates(count), database.now()
        took = node.invite(moved)
        calls = ApiCall.objects.filter(platform=Platform.LEVER, at__gte=began)
        return table(count, calls.count(), calls.filter(status=429).count(), took)


def table(candidates: int, calls: int, refused: int, took: float) -> Table:
    """Return the figures of a bulk move that took so many seconds until the last tag."""
    least = max(0.1, (calls - LEVER_BURST) / LEVER_RATE)
    rows = [
        ("calls to Lever a candidate", f"{calls / candidates:.2f}"),
        (f"least time of these calls, at {LEVER_RATE:g}/s and {LEVER_BURST}", f"{least:.1f} s"),
        ("until the last tag", f"{took:.1f} s"),
        ("÷ the least time", f"{took / least:.3f}"),
        ("answers of 429", str(refused)),
    ]
    return Table(f"A bulk move of {candidates} candidates", ("figure", "measured"), [*rows])


BENCHMARK = Benchmark(
    "a bulk move at Lever's rate limit, beside the least time that its calls take",
    measure,
    {"candidates": (300, "moved at once")},
    WITHOUT_POLLS,
)
