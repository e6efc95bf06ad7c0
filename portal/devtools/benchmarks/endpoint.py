"""How fast Lever's webhook endpoint accepts, beside a bare insert and dj-stripe's endpoint, in alternating rounds."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from statistics import median

from django.db import connections
from django.db.models.functions import Now

from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from portal.devtools.benchmarks import raw_client, sites
from portal.devtools.benchmarks.benchmark import Benchmark, Report, Setup, Spread, Table, ratios
from portal.devtools.benchmarks.load import SIZES, Round, Target
from portal.devtools.processes import HOST, RunFailed, free_port, wait_for_url
from portal.process.startup import queue_cluster, web_server
from portal.process.supervisor import Supervisor

CONNECTIONS = 16


def run(setup: Setup, portal: Target) -> Iterator[Table]:
    """Return a table for each situation that the options allow. Raises RunFailed on a refusal or a missing row."""
    if setup.options.burst:
        yield _burst(setup, portal)
    if setup.options.redis_url:
        yield _broker_away(setup, portal)


def _burst(setup: Setup, portal: Target) -> Table:
    """Send a burst with the workers idle, then one while they decide about all deliveries so far."""
    count = setup.options.burst
    table = Table(
        f"A burst of {count} webhooks", ("workers", "accepted", "a second", "p50 ms", "p99 ms", "max ms")
    )
    Delivery.objects.update(due_at=None)
    connections.close_all()
    with Supervisor([portal.program, queue_cluster()]):
        wait_for_url(f"http://{HOST}:{portal.port}/healthz/live")
        for workers in ("idle", "busy"):
            setup.log(f"a burst, {workers} workers")
            if workers == "busy":
                Delivery.objects.update(due_at=Now())
            result = portal.send(setup.environment.folder, count, "small", CONNECTIONS, None)
            milliseconds = (f"{one:.1f}" for one in (result.p50_ms, result.p99_ms, result.max_ms))
            table.rows.append((workers, str(result.answers), f"{result.rate:.0f}", *milliseconds))
    return table


def _broker_away(setup: Setup, portal: Target) -> Table:
    """Load the portal, and in turns one whose broker doesn't answer."""
    options, port = setup.options, free_port()
    program = web_server(HOST, port)
    away = replace(
        portal,
        name="portal without its broker",
        port=port,
        # the supervisor runs one program of each name
        program=replace(
            program,
            name="web without its broker",
            env={**program.env, "REDIS_URL": f"redis://{HOST}:{free_port()}/0"},
        ),
    )
    rates: dict[str, list[float]] = {portal.name: [], away.name: []}
    with Supervisor([portal.program, away.program]):
        for target in (portal, away):
            wait_for_url(f"http://{HOST}:{target.port}/healthz/live")
            target.round(setup.environment.folder, "small", CONNECTIONS, 1)  # warm up
        for _ in range(options.rounds):
            for target in (portal, away):
                result = target.round(setup.environment.folder, "small", CONNECTIONS, options.seconds)
                rates[target.name].append(result.rate)
    there, gone = rates.values()
    table = Table("The broker away", ("a second", "with its broker", "÷"))
    table.rows.append(
        (f"{median(gone):.0f}", f"{median(there):.0f}", Spread.of(ratios(gone, there)).as_text())
    )
    return table


SIGNATURE_TOKEN = "bench" * 8
STRIPE_SECRET = "whsec_benchmark"

PORTAL, BARE, DJ_STRIPE = "portal", "bare insert", "dj-stripe"


class EndpointBenchmark(Benchmark):
    """Lever's webhook endpoint beside a view that only inserts a row, and beside dj-stripe's."""

    name = "endpoint"
    help = "Lever's webhook endpoint beside a bare view that inserts one row, and beside dj-stripe's endpoint"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the rounds, their length, the situations and the peers."""
        parser.add_argument(
            "--rounds", type=int, default=8, help="alternating rounds (default 8; 24 for a release)"
        )
        parser.add_argument("--seconds", type=int, default=2, help="length of a round (default 2)")
        parser.add_argument("--connections", type=int, nargs="+", default=[1, 4, 16, 64])
        parser.add_argument("--bodies", nargs="+", choices=list(SIZES), default=list(SIZES))
        parser.add_argument(
            "--dj-stripe-python",
            default="",
            help="a Python that has dj-stripe and granian; without it an environment is made for the run",
        )
        parser.add_argument(
            "--burst",
            type=int,
            default=10_000,
            help="webhooks at once while workers are busy (default 10,000)",
        )
        parser.add_argument("--without-dj-stripe", action="store_true", help="measure the bare view alone")

    def variables(self, options: Namespace) -> Mapping[str, str]:
        """Return as many processes as the projects beside the portal have."""
        return {"WEB_WORKERS": str(sites.WEB_WORKERS)}

    def run(self, setup: Setup) -> Report:
        """Load all targets in turns, in each situation."""
        options, report = setup.options, Report()
        table = Table(
            f"Lever's webhook endpoint, {options.rounds} rounds of {options.seconds} s",
            ("body, connections", "a second", "p99 ms", "÷", "a second", "rate ÷", "p99 ÷"),
        )
        report.tables.append(table)
        with ExitStack() as stack:
            targets = list(_targets(setup, stack))
            connections.close_all()
            stack.enter_context(Supervisor([target.program for target in targets]))
            for target in targets:
                wait_for_url(f"http://{HOST}:{target.port}/")
                target.round(setup.environment.folder, "small", 16, 1)  # warm up
            for size in options.bodies:
                for count in options.connections:
                    setup.log(f"{size}, {count} connections")
                    found = _alternate(targets, setup, size, count)
                    _add_rows(table, f"{size}, {count}", found)
                    report.numbers[f"{size}, {count} connections"] = {
                        name: [asdict(one) for one in rounds] for name, rounds in found.items()
                    }
        report.tables += run(setup, targets[0])
        return report


def _targets(setup: Setup, stack: ExitStack) -> Iterator[Target]:
    """Return the portal and what is measured beside it."""
    options, folder = setup.options, setup.environment.folder
    organization = Organization.objects.create(name="Bench", slug="bench")
    LeverWebhook.objects.create(organization=organization, signature_token=SIGNATURE_TOKEN)
    yield Target(
        PORTAL,
        setup.environment.web_server(),
        setup.environment.port,
        partial(raw_client.lever, f"/webhooks/lever/{organization.webhook_key}/", SIGNATURE_TOKEN),
        Delivery.objects.count,
    )
    bare = sites.Site(
        sys.executable, sites.BARE_SITE, stack.enter_context(sites.site_database(options, folder, "bare"))
    )
    bare.migrate()
    yield _target(BARE, bare, "bare_site_row", partial(raw_client.plain, "/insert/"))
    if options.without_dj_stripe:
        return
    try:
        python = options.dj_stripe_python or sites.dj_stripe_python(folder)
    except RunFailed as error:
        setup.log(f"dj-stripe could not be installed, and is left out: {error}")
        return
    url = stack.enter_context(sites.site_database(options, folder, "dj-stripe"))
    peer = sites.Site(python, sites.DJ_STRIPE_SITE, url)
    peer.migrate()
    key = peer.run("-m", "portal.devtools.benchmarks.dj_stripe_site.seed", STRIPE_SECRET)
    make = partial(raw_client.stripe, f"/webhook/{key}/", STRIPE_SECRET)
    yield _target(DJ_STRIPE, peer, "djstripe_webhookeventtrigger", make)


def _target(name: str, site: sites.Site, table: str, make: Callable[[int], bytes]) -> Target:
    port = free_port()
    return Target(name, site.server(name, port), port, make, partial(site.count, table))


def _alternate(targets: list[Target], setup: Setup, size: str, count: int) -> dict[str, list[Round]]:
    """Load each target in each round; each round begins with another one."""
    found: dict[str, list[Round]] = {target.name: [] for target in targets}
    for number in range(setup.options.rounds):
        start = number % len(targets)
        for target in targets[start:] + targets[:start]:
            result = target.round(setup.environment.folder, size, count, setup.options.seconds)
            found[target.name].append(result)
    return found


def _add_rows(table: Table, situation: str, found: Mapping[str, list[Round]]) -> None:
    portal = found[PORTAL]
    for name, rounds in found.items():
        if name == PORTAL:
            continue
        rates = ratios([one.rate for one in portal], [one.rate for one in rounds])
        waits = ratios([one.p99_ms for one in portal], [one.p99_ms for one in rounds])
        table.rows.append(
            (
                situation,
                f"{median(one.rate for one in portal):.0f}",
                f"{median(one.p99_ms for one in portal):.1f}",
                name,
                f"{median(one.rate for one in rounds):.0f}",
                Spread.of(rates).as_text(),
                Spread.of(waits).as_text(),
            )
        )
