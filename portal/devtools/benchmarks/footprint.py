"""What an idle node takes: memory, processes, CPU, connections, open files, the time to start and to stop."""

import os
import signal
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg
import redis
import requests
from django.conf import settings

from portal.devtools.benchmarks.benchmark import Benchmark, Report, Setup, Table
from portal.devtools.processes import descendants, members, wait_until
from portal.process.supervisor import STOP_SECONDS

LONGEST_START_SECONDS = 60.0

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(groups: Iterable[int]) -> float:
    """Return the CPU seconds of all processes of these process groups, with those of their ended children."""
    total = 0.0
    for pid in (pid for group in groups for pid in members(group)):
        with suppress(OSError):  # it has ended, and its parent counts it
            total += sum(_cpu_times(pid))
    return total


def _cpu_times(pid: int) -> list[float]:
    """Return the process's user and system time so far in seconds, then both of its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(ticks) / TICKS for ticks in fields[11:15]]


KIB_PER_MIB = 1024
#: What a process of `serve` is, by a part of its command line; the first that fits. Forked ones look like their parent.
ROLES = (("kill -KILL 0", "guard"), ("qcluster", "queue"), ("portal.asgi", "web"))
SUPERVISOR = "supervisor"


@dataclass(frozen=True)
class ProcessSize:
    """One process. `pss_mib` counts a page that several processes share in equal parts, `rss_mib` wholly."""

    pid: int
    role: str
    pss_mib: float
    rss_mib: float
    private_mib: float
    threads: int
    open_files: int
    cpu_seconds: float


def tree(root: int) -> list[ProcessSize]:
    """Return the process with all its descendants, parents first. Those that end meanwhile are left out."""
    found = []
    for pid in (root, *descendants(root)):
        with suppress(OSError, KeyError):
            found.append(_size(pid))
    return found


def _size(pid: int) -> ProcessSize:
    folder = Path("/proc", str(pid))
    # the first line of a smaps file is a heading
    lines = [line.split(":") for line in (folder / "smaps_rollup").read_text().splitlines()[1:]]
    mib = {name: int(rest.split()[0]) / KIB_PER_MIB for name, rest in lines}
    command_line = (folder / "cmdline").read_bytes().decode(errors="replace")
    return ProcessSize(
        pid=pid,
        role=next((role for part, role in ROLES if part in command_line), SUPERVISOR),
        pss_mib=mib["Pss"],
        rss_mib=mib["Rss"],
        private_mib=mib["Private_Clean"] + mib["Private_Dirty"],
        threads=len(list((folder / "task").iterdir())),
        open_files=len(list((folder / "fd").iterdir())),
        cpu_seconds=sum(_cpu_times(pid)[:2]),
    )


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
    measured.database_connections = _database_connections({**os.environ, **variables}["DATABASE_URL"])
    measured.redis_connections = _redis_connections(variables["REDIS_URL"])


def _database_connections(url: str) -> int | None:
    """Return how many connections others have to this database; None on SQLite."""
    if not url.startswith("postgres"):
        return None
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


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
