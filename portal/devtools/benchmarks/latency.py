"""How long a candidate waits from the webhook to CodeScreen's call, on a node that has nothing else to do."""

import random
import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import connections

from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from portal.devtools.benchmarks import customers
from portal.devtools.benchmarks.benchmark import WITHOUT_LIMITS, Benchmark, Report, Setup, Table, percentile
from portal.devtools.benchmarks.customers import (
    PretendPlatforms,
    Webhook,
    connected_organizations,
    node_at_work,
)
from portal.devtools.processes import run_in_threads, wait_until

WEB_CONNECTIONS = 8
LONGEST_SECONDS = 120.0
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

    def variables(self, options: Namespace) -> Mapping[str, str]:
        """Return an environment in which no rate limit and no poll is in the way."""
        return WITHOUT_LIMITS

    def run(self, setup: Setup) -> Report:
        """Warm the node up, and measure."""
        options = setup.options
        (organization,) = connected_organizations(1)
        with node_at_work(setup, options.answer_ms / 1000) as (platforms, _):
            run = _Run(setup, organization, platforms)
            run.warm_up()
            waits = run.measure(options.candidates)
        table = Table(
            f"Milliseconds from the webhook's sending to CodeScreen's call, without Lever's {options.answer_ms:g} ms "
            "for each call before",
            ("candidates", "p50", "p99"),
            [(str(len(waits)), f"{statistics.median(waits):.0f}", f"{percentile(waits, 99):.0f}")],
        )
        return Report([table], {"to_codescreen": waits})


@dataclass(frozen=True)
class _Run:
    setup: Setup
    organization: Organization
    platforms: PretendPlatforms

    def warm_up(self) -> None:
        """Move many candidates at once, and wait until all have their tags."""
        moved = [customers.stage_change(self.organization) for _ in range(WARM_UP)]
        customers.send(self.setup.environment.portal_url, moved, WEB_CONNECTIONS)
        self._instances(moved)

    def measure(self, count: int) -> list[float]:
        """Move so many candidates at random moments; return how many milliseconds each waited."""
        moved = [customers.stage_change(self.organization) for _ in range(count)]
        sent: dict[str, float] = {}
        at, moments = time.time(), []
        for _ in moved:
            moments.append(at)
            at += random.expovariate(1 / MEAN_PAUSE)
        shares = [range(first, count, WEB_CONNECTIONS) for first in range(WEB_CONNECTIONS)]

        def send_share(numbers: range) -> None:
            for number in numbers:
                time.sleep(max(0.0, moments[number] - time.time()))
                sent[moved[number].opportunity_id] = time.time()
                customers.send(self.setup.environment.portal_url, [moved[number]], 1)

        run_in_threads([partial(send_share, numbers) for numbers in shares])
        return self._waits(sent, self._instances(moved))

    def _instances(self, moved: Sequence[Webhook]) -> dict[str, int]:
        """Wait until all have their tags; return by candidate which of CodeScreen's invitations is theirs, from 1."""
        ids = {one.opportunity_id for one in moved}

        def all_are_tagged() -> bool:
            calls = (path.split("/") for _at, _method, path in self.platforms.lever_calls())
            return ids <= {parts[-2] for parts in calls if parts[-1] == "addTags"}

        wait_until(all_are_tagged, LONGEST_SECONDS, "a candidate has no tag", every=0.5)
        rows = Invitation.objects.filter(opportunity_id__in=ids).exclude(instance_id="")
        pairs = wait_until(
            lambda: (
                found
                if len(found := list(rows.values_list("opportunity_id", "instance_id"))) == len(ids)
                else None
            ),
            LONGEST_SECONDS,
            "not everybody was invited",
        )
        connections.close_all()
        return {opportunity: int(instance.removeprefix("instance-")) for opportunity, instance in pairs}

    def _waits(self, sent: Mapping[str, float], instances: Mapping[str, int]) -> list[float]:
        """Return what each waited, by the platforms' notes of when they were called."""
        invitations = [at for at, method, _path in self.platforms.codescreen_calls() if method == "POST"]
        reads: dict[str, list[float]] = {}
        for at, _method, path in self.platforms.lever_calls():
            for part in path.split("/"):
                if part in sent:
                    reads.setdefault(part, []).append(at)
        answer_ms = self.setup.options.answer_ms
        waits = []
        for opportunity, sent_at in sent.items():
            invited_at = invitations[instances[opportunity] - 1]
            calls_before = sum(at < invited_at for at in reads[opportunity])
            waits.append((invited_at - sent_at) * 1000 - calls_before * answer_ms)
        return waits
