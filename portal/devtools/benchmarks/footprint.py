"""What an idle node takes: memory, processes, CPU, connections, open files, the time to start and to stop."""

import os
import signal
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import redis
import requests
from django.conf import settings

from portal.devtools import databases
from portal.devtools.benchmarks.benchmark import Benchmark, Report, Setup, Table
from portal.devtools.processes import ProcessSize, tree, wait_until
from portal.process.supervisor import STOP_SECONDS

LONGEST_START_SECONDS = 60.0

WORKERS = 2  # of the web server, and of the queue
NOT_MEASURED = "–"


@dataclass
class Footprint:
    """One set-up's figures; those of the processes are of the last start."""

    start_seconds: list[float] = field(default_factory=list)
    stop_seconds: list[float] = field(default_factory=list)
    processes: list[ProcessSize] = field(default_factory=list)
    idle_cpu_percent: float = 0.0  # of one core
    database_connections: int | None = None  # None on SQLite, which has none
    redis_connections: int | None = None


class FootprintBenchmark(Benchmark):
    """An idle node of two web and two queue processes."""

    name = "footprint"
    help = "memory, CPU, connections and starting time of an idle node of two web and two queue processes"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the starts and the lengths of rest and measurement."""
        parser.add_argument("--starts", type=int, default=3, help="starts of each set-up (default 3)")
        parser.add_argument("--rest", type=float, default=20.0, help="seconds until it is idle (default 20)")
        parser.add_argument(
            "--seconds", type=float, default=30.0, help="length of the CPU's measurement (default 30)"
        )

    def variables(self, options: object) -> Mapping[str, str]:
        """Return the numbers of processes."""
        return {"WEB_WORKERS": str(WORKERS), "Q_WORKERS": str(WORKERS)}

    def run(self, setup: Setup) -> Report:
        """Measure `serve` on each database and broker that there is, one after the other."""
        measured = {name: _measure(setup, name, variables) for name, variables in _set_ups(setup).items()}
        return Report(
            [_summary(measured), *(_by_process(name, one) for name, one in measured.items())],
            {name: asdict(one) for name, one in measured.items()},
        )


def _set_ups(setup: Setup) -> dict[str, Mapping[str, str]]:
    """Return the environment of each set-up by its name. SQLite comes last: it is always there."""
    options = setup.options
    sqlite = {"DATABASE_URL": f"sqlite:///{setup.environment.folder / 'footprint.sqlite3'}", "REDIS_URL": ""}
    found: dict[str, Mapping[str, str]] = {}
    if options.database_url and options.redis_url:
        found["PostgreSQL + Redis"] = {"REDIS_URL": options.redis_url}
    if options.database_url:
        found["PostgreSQL"] = {"REDIS_URL": ""}
    return {**found, "SQLite": sqlite}


def _measure(setup: Setup, name: str, variables: Mapping[str, str]) -> Footprint:
    setup.log(f"{name}…")
    measured = Footprint()
    with _serving(setup, variables, Footprint()):
        pass  # the first start migrates the database and collects static files
    for start in range(setup.options.starts):
        with _serving(setup, variables, measured) as pid:
            if start == setup.options.starts - 1:
                time.sleep(setup.options.rest)
                _measure_idle(measured, pid, setup.options.seconds, variables)
    return measured


@contextmanager
def _serving(setup: Setup, variables: Mapping[str, str], measured: Footprint) -> Iterator[int]:
    """Run `serve`, note how long it takes to start and to stop, and yield its process id. Raises RunFailed."""
    manage = str(settings.BASE_DIR / "manage.py")
    argv = [sys.executable, manage, "serve", "--port", str(setup.environment.port)]
    began = time.monotonic()
    server = subprocess.Popen(argv, env={**os.environ, **variables}, stderr=subprocess.DEVNULL)
    try:
        wait_until(
            lambda: _is_ready(setup.environment.portal_url),
            LONGEST_START_SECONDS,
            "serve doesn't start",
            0.02,
        )
        measured.start_seconds.append(time.monotonic() - began)
        yield server.pid
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        server.wait(STOP_SECONDS + 5)
        measured.stop_seconds.append(time.monotonic() - began)
    finally:
        server.kill()
        server.wait()


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz/ready", timeout=1).ok
    except requests.RequestException:
        return False


def _measure_idle(measured: Footprint, pid: int, seconds: float, variables: Mapping[str, str]) -> None:
    before = {one.pid: one.cpu_seconds for one in tree(pid)}
    began = time.monotonic()
    time.sleep(seconds)
    measured.processes = tree(pid)
    used = sum(one.cpu_seconds - before.get(one.pid, 0.0) for one in measured.processes)
    measured.idle_cpu_percent = 100 * used / (time.monotonic() - began)
    measured.database_connections = databases.count_connections({**os.environ, **variables}["DATABASE_URL"])
    measured.redis_connections = _redis_connections(variables["REDIS_URL"])


def _redis_connections(url: str) -> int | None:
    """Return how many connections others have to this Redis database; None without Redis."""
    if not url:
        return None
    client = redis.Redis.from_url(url)
    number = str(client.connection_pool.connection_kwargs.get("db", 0))
    count = sum(one["db"] == number for one in client.client_list()) - 1
    client.close()
    return count


def _summary(measured: Mapping[str, Footprint]) -> Table:
    columns = (
        "set-up",
        "processes",
        "PSS, MiB",
        "RSS, MiB",
        "idle CPU, % of a core",
        "database connections",
        "Redis connections",
        "open files",
        "ready after, s",
        "stopped after, s",
    )
    table = Table(f"An idle node with {WORKERS} web and {WORKERS} queue processes", columns)
    for name, one in measured.items():
        table.rows.append(
            (
                name,
                str(len(one.processes)),
                f"{sum(process.pss_mib for process in one.processes):.0f}",
                f"{sum(process.rss_mib for process in one.processes):.0f}",
                f"{one.idle_cpu_percent:.1f}",
                NOT_MEASURED if one.database_connections is None else str(one.database_connections),
                NOT_MEASURED if one.redis_connections is None else str(one.redis_connections),
                str(sum(process.open_files for process in one.processes)),
                f"{statistics.median(one.start_seconds):.1f}",
                f"{statistics.median(one.stop_seconds):.1f}",
            )
        )
    return table


def _by_process(name: str, measured: Footprint) -> Table:
    table = Table(f"{name}: by process", ("process", "PSS, MiB", "RSS, MiB", "private, MiB", "threads"))
    numbers: Counter[str] = Counter()
    for one in measured.processes:
        numbers[one.role] += 1
        sizes = (f"{one.pss_mib:.0f}", f"{one.rss_mib:.0f}", f"{one.private_mib:.0f}", str(one.threads))
        table.rows.append((f"{one.role} {numbers[one.role]}", *sizes))
    return table
