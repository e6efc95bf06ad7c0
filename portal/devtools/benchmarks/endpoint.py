"""How fast Lever's webhook endpoint accepts, beside bare inserts, in alternating rounds."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from django.conf import settings
from django.db import connections

from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from portal.devtools import databases
from portal.devtools.benchmarks import load
from portal.devtools.benchmarks.benchmark import Benchmark, Setup, Table, ratios, spread
from portal.devtools.benchmarks.load import Round
from portal.devtools.processes import HOST, RunFailed, free_port, wait_for_url
from portal.process.supervisor import Program, Supervisor

#: Of each site's web server.
WEB_WORKERS, THREADS = 2, 8
CONNECTIONS = (16, 4)
#: As many webhooks are made for a round as the fastest round so far would send, times this.
RESERVE = 2.0
FIRST_GUESS = 4000  # webhooks a second

PORTAL, BARE, BARE_REST = "portal", "bare insert", "bare REST view"
#: The least that the portal's rate is to be of another's, and the most that its p99 is to be.
GOALS = {BARE: ("≥ 0.75", "≤ 1.5"), BARE_REST: ("≥ 0.95", "")}


@dataclass
class Target:
    """Something under load: where it listens, and to what path webhooks are posted."""

    name: str
    program: Program
    port: int
    path: str
    fastest: float = FIRST_GUESS

    def round(self, connections_open: int) -> Round:
        """Send one round of new webhooks. Raises RunFailed."""
        count = int(self.fastest * load.SECONDS * RESERVE) + 2 * connections_open
        result = load.send(self.port, self.path, count, connections_open)
        self.fastest = max(self.fastest, result.rate)
        return result


def measure(setup: Setup) -> Table:
    """Load all targets in turns. Raises RunFailed when the portal accepted more than it stored."""
    table = Table(
        f"Lever's webhook endpoint, {setup.options.rounds} rounds of {load.SECONDS} s",
        ("connections", "a second", "p99 ms", "÷", "a second", "rate ÷", "goal", "p99 ÷", "goal"),
    )
    accepted = 0
    with _bare_site(setup) as environ:
        targets = [_portal(setup), *(_bare(name, path, environ) for name, path in BARE_PATHS.items())]
        connections.close_all()
        with Supervisor([target.program for target in targets]):
            for target in targets:
                wait_for_url(f"http://{HOST}:{target.port}/")
                target.round(CONNECTIONS[0])  # warm up
            before = Delivery.objects.count()
            for count in CONNECTIONS:
                setup.log(f"{count} connections")
                found = _alternate(targets, setup.options.rounds, count)
                accepted += sum(one.answers for one in found[PORTAL])
                table.rows += _rows(count, found)
    if (stored := Delivery.objects.count() - before) < accepted:
        raise RunFailed(f"{accepted} accepted, but {stored} rows")
    return table


def _portal(setup: Setup) -> Target:
    organization = Organization.objects.create(name="Bench", slug="bench")
    LeverWebhook.objects.create(organization=organization, signature_token=load.SIGNATURE_TOKEN)
    path = f"/webhooks/lever/{organization.webhook_key}/"
    return Target(PORTAL, setup.environment.web_server(), setup.environment.port, path)


BARE_PATHS = {BARE: "/insert/", BARE_REST: "/rest/"}


@contextmanager
def _bare_site(setup: Setup) -> Iterator[Mapping[str, str]]:
    """Make the bare site's tables in a database beside the portal's; yield its environment. Raises RunFailed."""
    server, name = setup.options.database_url, f"portal_bench_bare_{os.getpid()}"
    url = f"sqlite:///{setup.environment.folder / name}.sqlite3"
    if server:
        url = databases.create(server, name)
    environ = {
        "PYTHONPATH": str(settings.BASE_DIR),
        "DJANGO_SETTINGS_MODULE": "portal.devtools.benchmarks.bare_site.settings",
        "DATABASE_URL": url,
    }
    argv = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
    try:
        if subprocess.run(argv, env={**os.environ, **environ}, check=False).returncode:
            raise RunFailed("the bare site's tables couldn't be made")
        yield environ
    finally:
        if server:
            databases.drop(server, name)


def _bare(name: str, path: str, environ: Mapping[str, str]) -> Target:
    """Return a view of the bare site on a stock web server."""
    port = free_port()
    argv = [sys.executable, "-P", "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--worker-class", "gthread"]
    argv += ["--workers", str(WEB_WORKERS), "--threads", str(THREADS), "--keep-alive", "30"]
    argv += ["--no-control-socket", "--log-level", "warning", "django.core.wsgi:get_wsgi_application()"]
    return Target(name, Program(name, argv, env=environ), port, path)


def _alternate(targets: list[Target], rounds: int, count: int) -> dict[str, list[Round]]:
    """Load each target in each round; each round begins with another one."""
    found: dict[str, list[Round]] = {target.name: [] for target in targets}
    for number in range(rounds):
        start = number % len(targets)
        for target in targets[start:] + targets[:start]:
            found[target.name].append(target.round(count))
    return found


def _rows(count: int, found: Mapping[str, list[Round]]) -> Iterator[tuple[str, ...]]:
    """Yield what the portal is beside each of the others."""
    rates, waits = (
        {name: [getattr(one, figure) for one in rounds] for name, rounds in found.items()}
        for figure in ("rate", "p99_ms")
    )
    for name, (rate_goal, p99_goal) in GOALS.items():
        yield (
            str(count),
            f"{median(rates[PORTAL]):.0f}",
            f"{median(waits[PORTAL]):.1f}",
            name,
            f"{median(rates[name]):.0f}",
            spread(ratios(rates[PORTAL], rates[name])),
            rate_goal,
            spread(ratios(waits[PORTAL], waits[name])),
            p99_goal,
        )


BENCHMARK = Benchmark(
    "Lever's webhook endpoint beside bare views that insert one row",
    measure,
    {"rounds": (8, "alternating rounds, 24 for a release")},
)
