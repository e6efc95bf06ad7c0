"""How long a candidate waits, from the webhook to CodeScreen's call and to the tag, when idle and at half load."""

import random
import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class Wait:
    """What one candidate waited beyond the time that the platforms took to answer, in milliseconds."""

    to_codescreen: float
    to_tag: float


class LatencyBenchmark(Benchmark):
    """Webhook → CodeScreen's call → tag, for one candidate at a time and at half of the full rate."""

    name = "latency"
    help = (
        "what a candidate waits from the webhook to CodeScreen's call and to the tag, idle and at half load"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how many candidates, and how fast the platforms answer."""
        parser.add_argument("--candidates", type=int, default=100, help="in each situation (default 100)")
        parser.add_argument(
            "--pause", type=float, default=0.3, help="mean seconds between two when idle (default 0.3)"
        )
        parser.add_argument(
            "--burst", type=int, default=200, help="candidates at once, for the full rate (default 200)"
        )
        parser.add_argument("--answer-ms", type=float, default=1.0, help="of both platforms (default 1)")

    def variables(self, options: Namespace) -> Mapping[str, str]:
        """Return an environment in which no rate limit and no poll is in the way."""
        return WITHOUT_LIMITS

    def run(self, setup: Setup) -> Report:
        """Measure both situations, one after the other."""
        options = setup.options
        (organization,) = connected_organizations(1)
        with node_at_work(setup, options.answer_ms / 1000) as (platforms, _):
            run = _Run(setup, organization, platforms)
            # many at once before one at a time: the first candidate in each process, which compiles its statements
            # then, waits twice as long
            rate = max(run.full_rate() for _ in range(2))
            setup.log(f"full load: {rate:.0f} candidates a second")
            idle = run.measure(options.candidates, options.pause)
            loaded = run.measure(options.candidates, 2 / rate)
        return _report(options, {"idle": idle, f"half load ({rate / 2:.0f} a second)": loaded})


@dataclass(frozen=True)
class _Run:
    setup: Setup
    organization: Organization
    platforms: PretendPlatforms

    def measure(self, count: int, pause: float) -> list[Wait]:
        """Move so many candidates, at random moments with that mean pause; return what each waited."""
        moved = [customers.stage_change(self.organization) for _ in range(count)]
        sent: dict[str, float] = {}
        began = time.time()
        at, moments = began, []
        for _ in moved:
            moments.append(at)
            at += random.expovariate(1 / pause)
        shares = [range(first, count, WEB_CONNECTIONS) for first in range(WEB_CONNECTIONS)]

        def send_share(numbers: range) -> None:
            for number in numbers:
                time.sleep(max(0.0, moments[number] - time.time()))
                sent[moved[number].opportunity_id] = time.time()
                customers.send(self.setup.environment.portal_url, [moved[number]], 1)

        run_in_threads([partial(send_share, numbers) for numbers in shares])
        instances = self._instances(moved)
        return self._waits(sent, instances)

    def full_rate(self) -> float:
        """Move many candidates at once; return how many a second were invited and tagged."""
        moved = [customers.stage_change(self.organization) for _ in range(self.setup.options.burst)]
        began = time.time()
        customers.send(self.setup.environment.portal_url, moved, WEB_CONNECTIONS)
        self._instances(moved)
        tagged = self._tagged()
        return len(moved) / (max(tagged[one.opportunity_id] for one in moved) - began)

    def _instances(self, moved: Sequence[Webhook]) -> dict[str, int]:
        """Wait until all have their tags; return by candidate which of CodeScreen's invitations is theirs, from 1."""
        ids = {one.opportunity_id for one in moved}
        wait_until(
            lambda: ids <= self._tagged().keys() or None, LONGEST_SECONDS, "a candidate has no tag", every=0.5
        )
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

    def _tagged(self) -> dict[str, float]:
        """Return when each candidate's tag was set first."""
        times: dict[str, float] = {}
        for at, _method, path in self.platforms.lever_calls():
            if path.endswith("/addTags"):
                times.setdefault(path.split("/")[-2], at)
        return times

    def _waits(self, sent: Mapping[str, float], instances: Mapping[str, int]) -> list[Wait]:
        """Return what each waited, by the platforms' notes of when they were called."""
        invitations = [at for at, method, _path in self.platforms.codescreen_calls() if method == "POST"]
        reads: dict[str, list[float]] = {}
        for at, _method, path in self.platforms.lever_calls():
            for part in path.split("/"):
                if part in sent:
                    reads.setdefault(part, []).append(at)
        tagged = self._tagged()
        answer_ms = self.setup.options.answer_ms
        waits = []
        for opportunity, sent_at in sent.items():
            invited_at, tagged_at = invitations[instances[opportunity] - 1], tagged[opportunity]
            calls_before = sum(at < invited_at for at in reads[opportunity])
            calls_between = 1 + sum(invited_at < at < tagged_at for at in reads[opportunity])
            to_codescreen = (invited_at - sent_at) * 1000 - calls_before * answer_ms
            to_tag = (tagged_at - sent_at) * 1000 - (calls_before + calls_between) * answer_ms
            waits.append(Wait(to_codescreen, to_tag))
        return waits


def _report(options: Namespace, situations: Mapping[str, Sequence[Wait]]) -> Report:
    table = Table(
        f"Milliseconds from the webhook's sending, without the platforms' {options.answer_ms:g} ms for each call",
        ("situation", "to CodeScreen's call: p50", "p99", "to the tag: p50", "p99"),
    )
    for name, waits in situations.items():
        figures = []
        for values in ([one.to_codescreen for one in waits], [one.to_tag for one in waits]):
            figures += [f"{statistics.median(values):.0f}", f"{percentile(values, 99):.0f}"]
        table.rows.append((name, *figures))
    return Report([table], {name: [asdict(one) for one in waits] for name, waits in situations.items()})
