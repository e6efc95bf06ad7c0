"""The endpoint in two hard situations: a burst while the workers are busy, and a broker that is away."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from django.db import connections
from django.db.models.functions import Now

from integrations.models import Delivery
from portal.devtools.benchmarks.benchmark import Setup
from portal.devtools.benchmarks.report import Spread, Table, ratios
from portal.devtools.benchmarks.target import Target
from portal.devtools.ports import HOST, free_port
from portal.devtools.waiting import wait_for_url
from portal.process.programs import queue_cluster, web_server
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
        program=replace(program, env={**program.env, "REDIS_URL": f"redis://{HOST}:{free_port()}/0"}),
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
