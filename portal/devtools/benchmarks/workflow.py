"""Invitations a second through the whole portal, from the webhook to the tag, beside a bare loop of the same run."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import requests
from django.db import connection

from integrations.lever.models.connection import LeverConnection
from portal.devtools.benchmarks.benchmark import Benchmark, Setup, Table, ratios, spread
from portal.devtools.benchmarks.node import Node, node_at_work
from portal.devtools.chaos import tenants
from portal.devtools.processes import cpu_seconds, run_in_threads
from portal.devtools.sandbox.values import stable_id

THREADS = 8


def call_rate(node: Node, count: int) -> float:
    """Make the three calls of so many invitations; return the invitations a second."""
    lever, codescreen = node.environment.lever.url, node.environment.codescreen.url
    token = LeverConnection.objects.get(organization=tenants.organization()).access_token
    as_app, as_customer = {"Authorization": f"Bearer {token}"}, {"Authorization": f"apiKey {tenants.API_KEY}"}

    def work(candidates: Sequence[str]) -> None:
        with requests.Session() as session:
            for candidate in candidates:
                opportunity = f"{lever}/v1/opportunities/{candidate}"
                person = session.get(opportunity, headers=as_app, timeout=30).json()["data"]
                invited = {
                    "assessmentId": stable_id(tenants.SLUG, "assessment", tenants.ASSESSMENT),
                    "firstName": person["name"],
                    "lastName": person["name"],
                    "email": person["emails"][0],
                }
                url, tags = f"{codescreen}/api/assessments", {"tags": ["CodeScreen: Candidate Invited"]}
                session.post(url, json=invited, headers=as_customer, timeout=30).raise_for_status()
                session.post(
                    f"{opportunity}/addTags", json=tags, headers=as_app, timeout=30
                ).raise_for_status()

    candidates, began = node.new_candidates(count), time.monotonic()
    run_in_threads([partial(work, candidates[first::THREADS]) for first in range(THREADS)])
    return count / (time.monotonic() - began)


@dataclass(frozen=True)
class Round:
    """One round: invitations a second of the portal and of the bare loop, and the portal's CPU an invitation."""

    portal: float
    bare: float
    cpu_ms: float


def measure(setup: Setup) -> Table:
    """Measure the portal and the loop in turns."""
    options, rounds = setup.options, list[Round]()
    with node_at_work(setup) as node:
        node.invite(node.new_candidates(options.past))
        with connection.cursor() as cursor:
            # while tables are empty or uncounted, PostgreSQL plans look-ups that go through all rows
            cursor.execute("ANALYZE")
        for _ in range(options.rounds):
            bare, cpu_before = call_rate(node, options.invitations), cpu_seconds(node.groups)
            portal = options.invitations / node.invite(node.new_candidates(options.invitations))
            cpu_ms = (cpu_seconds(node.groups) - cpu_before) / options.invitations * 1000
            rounds.append(Round(portal, bare, cpu_ms))
            setup.log(str(rounds[-1]))
    portal_rates, bare_rates = [one.portal for one in rounds], [one.bare for one in rounds]
    ratio = spread(ratios(portal_rates, bare_rates), 3)
    return Table(
        f"{options.invitations:,} invitations at once, {len(rounds)} rounds",
        ("figure", "median"),
        [
            ("invitations a second", f"{statistics.median(portal_rates):.0f}"),
            ("÷ a bare loop of the calls", f"{ratio} of {statistics.median(bare_rates):.0f} a second"),
            ("CPU of all our processes an invitation", f"{spread([one.cpu_ms for one in rounds], 1)} ms"),
        ],
    )


BENCHMARK = Benchmark(
    "invitations a second from the webhook to the tag, beside a bare loop of the same calls",
    measure,
    {
        "invitations": (150, "in each round"),
        "past": (500, "invitations before"),
        "rounds": (3, "alternating rounds"),
    },
)
