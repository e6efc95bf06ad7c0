"""The environment of a chaos run, with a database and a Redis of its own, and interruptions of the portal's parts."""

import json
import logging
import os
import random
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from django.conf import settings
from django.core.management import CommandError
from django.db import connections

from portal.devtools import databases
from portal.devtools.chaos.processes import Processes, Proxy
from portal.devtools.chaos.run import Options
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import HOST, free_port

DATABASE = "PORTAL_CHAOS_DATABASE"  # the name of the run's own database; empty on SQLite
RESTART_SECONDS = 60.0


@contextmanager
def _postgresql(options: Options) -> Iterator[psycopg.Connection]:
    with psycopg.connect(options.database_url, autocommit=True, connect_timeout=10) as connection:
        yield connection


def cut_connections(options: Options) -> None:
    """End every connection to the run's database, as clients see it when the server restarts."""
    with _postgresql(options) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [os.environ[DATABASE]],
        )


def restart_database(options: Options) -> float:
    """Restart the server; return the time at which it took connections again. Raises psycopg.Error if it doesn't."""
    # its output isn't read: a server that it starts keeps the pipe open
    subprocess.run(
        shlex.split(options.restart_database),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=RESTART_SECONDS,
        check=False,
    )
    deadline = time.monotonic() + RESTART_SECONDS
    while True:
        try:
            with _postgresql(options):
                return time.time()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def flush_redis(options: Options) -> None:
    """Empty the run's Redis database."""
    with redis.Redis.from_url(options.redis_url) as connection:
        connection.flushdb()


REDIS_PORT = "PORTAL_CHAOS_REDIS_PORT"
FAULT_FREE_SECONDS = "PORTAL_CHAOS_FAULT_FREE_SECONDS"
READ_SECONDS = 3.0


def enter(options: Options) -> NoReturn:
    """Make the run's environment and replace this process by the same command in it."""
    changes: dict[str, str] = {}
    if options.compare:
        changes[FAULT_FREE_SECONDS] = str(_measure_fault_free_seconds())
    name = f"chaos_{options.seed}_{os.getpid()}" if options.database_url else ""
    if name:
        changes["DATABASE_URL"] = databases.create(options.database_url, name)
    if options.redis_url:
        flush_redis(options)
    environment = DemoEnvironment.create("chaos")
    changes |= {DATABASE: name, **_redis_variables(options), **_other_variables(options)}
    environment.enter(**changes)


def _measure_fault_free_seconds() -> float:
    """Return how long the same moves take when nothing goes wrong. Raises CommandError unless every promise held."""
    arguments = [name for name in sys.argv[1:] if name not in {"--compare", "--json", "--keep"}]
    without_faults = ["--faults", "0", "--kill-every", "0", "--redis-outage", "0", "--json"]
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments, *without_faults]
    run = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        raise CommandError(f"The run without faults ended with code {run.returncode}.")
    table = json.loads(run.stdout)
    return float(table["seconds_with_faults"] + table["seconds_to_settle"])


def fault_free_seconds() -> float | None:
    """Return how long the same moves took when nothing went wrong, None without --compare."""
    return float(os.environ[FAULT_FREE_SECONDS]) if FAULT_FREE_SECONDS in os.environ else None


def _redis_variables(options: Options) -> dict[str, str]:
    """Return the variables that lead to Redis: through a proxy where it is to become unreachable."""
    if not options.redis_outage:
        return {"REDIS_URL": options.redis_url, REDIS_PORT: ""}
    port = free_port()
    server = urlsplit(options.redis_url)
    credentials, at, _ = server.netloc.rpartition("@")
    url = urlunsplit(server._replace(netloc=f"{credentials}{at}{HOST}:{port}"))
    return {"REDIS_URL": url, REDIS_PORT: str(port)}


def _other_variables(options: Options) -> dict[str, str]:
    variables = {
        "WEB_WORKERS": "2",
        "POLL_NOT_STARTED_SECONDS": str(options.poll_seconds),
        "POLL_IN_PROGRESS_SECONDS": str(options.poll_seconds),
    }
    if options.has_faults:
        # without the rate limit thousands of events take minutes; --outage tests the rate limit
        variables |= {"LEVER_RATE": "1000", "LEVER_BURST": "1000000"}
        variables["PLATFORM_READ_SECONDS"] = str(READ_SECONDS)
    return variables


@contextmanager
def redis_proxy(options: Options) -> Iterator[Proxy | None]:
    """Yield the proxy before Redis, None in a run in which Redis stays reachable."""
    port = os.environ.get(REDIS_PORT)
    if not port:
        yield None
        return
    server = urlsplit(options.redis_url)
    with Proxy(int(port), (server.hostname or HOST, server.port or 6379)) as proxy:
        yield proxy


def clear(environment: DemoEnvironment, options: Options) -> str:
    """Remove what the run made; return a sentence about what was kept with --keep, else an empty one."""
    connections.close_all()
    database = os.environ[DATABASE]
    if options.keep:
        return f"Kept: {environment.folder}" + (f" and the database {database}" if database else "")
    shutil.rmtree(environment.folder, ignore_errors=True)
    if database:
        databases.drop(options.database_url, database)
    if options.redis_url:
        flush_redis(options)
    return ""


logger = logging.getLogger(__name__)

DATABASE_EVERY = 6  # kills
RESTART_EVERY = 20.0  # seconds
FLUSH_AT, OUTAGE_AT = DATABASE_EVERY + 1, DATABASE_EVERY + 2  # kills


class Interrupted(StrEnum):
    """What was interrupted, and how."""

    WEB = "web"
    WORKERS = "workers"
    DATABASE = "database"
    DATABASE_RESTART = "restart"
    REDIS_FLUSH = "redis"
    REDIS_OUTAGE = "redis outage"


@dataclass(frozen=True)
class Interruption:
    """One interruption and when it happened."""

    what: Interrupted
    at: float
    over_at: float = 0.0  # when the part was back, where that is known


def count_by_kind(interruptions: Iterable[Interruption]) -> dict[str, int]:
    """Return how many interruptions of each kind there were, by name."""
    return dict(sorted(Counter(str(item.what) for item in interruptions).items()))


class FaultInjector(threading.Thread):
    """Interrupts at regular intervals until it is stopped; with `only`, kills just that program's workers."""

    def __init__(self, processes: Processes, options: Options, only: str = "") -> None:
        super().__init__(name="fault injector", daemon=True)
        self.interruptions: list[Interruption] = []
        self._processes = processes
        self._options = options
        self._only = only
        self._restarted_at = time.monotonic()
        self._outage_began_at = 0.0
        self._random = random.Random(options.seed)  # noqa: S311
        self._stopping = threading.Event()
        self._kills = 0

    def run(self) -> None:
        """Interrupt until stopped."""
        while self._options.kill_every and not self._stopping.wait(self._options.kill_every):
            self._kills += 1
            program = self._processes.kill(self._random, self._only)
            if program:
                self._record(Interrupted(program), time.time())
            try:
                self._interrupt_servers()
            except (psycopg.Error, redis.RedisError, subprocess.TimeoutExpired):
                logger.warning("A server could not be interrupted.", exc_info=True)

    def stop(self) -> None:
        """Interrupt no more, and make Redis reachable again."""
        self._stopping.set()
        self.join(timeout=RESTART_SECONDS)
        self._end_redis_outage()

    def _interrupt_servers(self) -> None:
        self._begin_or_end_redis_outage()
        if self._options.database_url and self._kills % DATABASE_EVERY == 0:
            self._interrupt_database()
        if self._options.redis_url and self._kills == FLUSH_AT:
            flush_redis(self._options)
            self._record(Interrupted.REDIS_FLUSH, time.time())

    def _interrupt_database(self) -> None:
        at = time.time()
        if not self._options.restart_database:
            cut_connections(self._options)
            self._record(Interrupted.DATABASE, at, time.time())
        elif time.monotonic() - self._restarted_at > RESTART_EVERY:
            self._restarted_at = time.monotonic()
            self._record(Interrupted.DATABASE_RESTART, at, restart_database(self._options))

    def _begin_or_end_redis_outage(self) -> None:
        if self._processes.redis is None:
            return
        if self._kills == OUTAGE_AT:
            self._processes.redis.close()
            self._outage_began_at = time.time()
        elif time.time() - self._outage_began_at > self._options.redis_outage:
            self._end_redis_outage()

    def _end_redis_outage(self) -> None:
        if self._processes.redis is not None and self._outage_began_at:
            self._processes.redis.open()
            self._record(Interrupted.REDIS_OUTAGE, self._outage_began_at, time.time())
            self._outage_began_at = 0.0

    def _record(self, what: Interrupted, at: float, over_at: float = 0.0) -> None:
        self.interruptions.append(Interruption(what, at, over_at))
