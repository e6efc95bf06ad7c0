"""How fast Lever's webhook endpoint accepts, beside bare inserts, in alternating rounds."""

import os
import sqlite3
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connections
from django.db.models.functions import Now
from psycopg import sql

from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from portal.devtools import databases
from portal.devtools.benchmarks import raw_client
from portal.devtools.benchmarks.benchmark import Benchmark, Report, Setup, Spread, Table, ratios
from portal.devtools.benchmarks.load import SIZES, Round, Target
from portal.devtools.processes import HOST, RunFailed, free_port, wait_for_url
from portal.process.startup import queue_cluster, web_server
from portal.process.supervisor import Program, Supervisor

#: Of each site's web server.
WEB_WORKERS, THREADS = 2, 8

BARE_SITE = "portal.devtools.benchmarks.bare_site.settings"


@dataclass(frozen=True)
class Site:
    """One project: its settings and its database."""

    settings: str
    database_url: str

    def environ(self) -> Mapping[str, str]:
        """Return the variables of its processes."""
        return {
            "PYTHONPATH": str(settings.BASE_DIR),
            "DJANGO_SETTINGS_MODULE": self.settings,
            "DATABASE_URL": self.database_url,
        }

    def migrate(self) -> None:
        """Make its tables. Raises RunFailed."""
        argv = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
        ended = subprocess.run(
            argv, env={**os.environ, **self.environ()}, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise RunFailed(f"{self.settings}: {ended.stderr.strip()}")

    def server(self, name: str, port: int) -> Program:
        """Return a stock web server for this project."""
        argv = [
            sys.executable,
            "-P",
            "-m",
            "gunicorn",
            "--bind",
            f"{HOST}:{port}",
            "--worker-class",
            "gthread",
        ]
        argv += ["--workers", str(WEB_WORKERS), "--threads", str(THREADS), "--keep-alive", "30"]
        argv += ["--no-control-socket", "--log-level", "warning", "django.core.wsgi:get_wsgi_application()"]
        return Program(name, argv, env=self.environ())

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        if urlsplit(self.database_url).scheme == "sqlite":
            path = urlsplit(self.database_url).path
            with closing(sqlite3.connect(path)) as file:
                return int(file.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608
        with psycopg.connect(self.database_url) as connection:
            statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            row = connection.execute(statement).fetchone()
            return int(row[0]) if row else 0


@contextmanager
def site_database(options: Namespace, folder: Path, name: str) -> Iterator[str]:
    """Give a project a database beside the portal's, on the same server or as a file; remove it afterwards."""
    if not options.database_url:
        yield f"sqlite:///{folder / name}.sqlite3"
        return
    created = f"portal_bench_{name}_{os.getpid()}"
    try:
        yield databases.create(options.database_url, created)
    finally:
        databases.drop(options.database_url, created)


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

PORTAL, BARE, BARE_REST = "portal", "bare insert", "bare REST view"
#: The least that the portal's rate is to be of another's, and the most that its p99 is to be.
GOALS = {BARE: ("≥ 0.75", "≤ 1.5"), BARE_REST: ("≥ 0.95", "")}


class EndpointBenchmark(Benchmark):
    """Lever's webhook endpoint beside views that only insert a row, each under gunicorn."""

    name = "endpoint"
    help = "Lever's webhook endpoint beside bare views that insert one row"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the rounds, their length and the situations."""
        parser.add_argument(
            "--rounds", type=int, default=8, help="alternating rounds (default 8; 24 for a release)"
        )
        parser.add_argument("--seconds", type=int, default=2, help="length of a round (default 2)")
        parser.add_argument("--connections", type=int, nargs="+", default=[16, 4])
        parser.add_argument("--bodies", nargs="+", choices=list(SIZES), default=list(SIZES))
        parser.add_argument(
            "--burst",
            type=int,
            default=10_000,
            help="webhooks at once while workers are busy (default 10,000)",
        )

    def variables(self, options: Namespace) -> Mapping[str, str]:
        """Return as many processes as the servers beside the portal have."""
        return {"WEB_WORKERS": str(WEB_WORKERS)}

    def run(self, setup: Setup) -> Report:
        """Load all targets in turns, in each situation."""
        options, report = setup.options, Report()
        table = Table(
            f"Lever's webhook endpoint, {options.rounds} rounds of {options.seconds} s",
            ("body, connections", "a second", "p99 ms", "÷", "a second", "rate ÷", "goal", "p99 ÷", "goal"),
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
    bare = Site(BARE_SITE, stack.enter_context(site_database(options, folder, "bare")))
    bare.migrate()
    for name, path in ((BARE, "/insert/"), (BARE_REST, "/rest/")):
        yield _target(name, bare, "bare_site_row", partial(raw_client.lever, path, SIGNATURE_TOKEN))


def _target(name: str, site: Site, table: str, make: Callable[[int], bytes]) -> Target:
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
        rate_goal, p99_goal = GOALS[name]
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
                rate_goal,
                Spread.of(waits).as_text(),
                p99_goal,
            )
        )
