"""The environment of a chaos run: a demo's environment with a database, and if asked a Redis, of its own."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from django.conf import settings
from django.core.management import CommandError
from django.db import connections

from portal.devtools import own_database
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.proxy import Proxy
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.ports import HOST, free_port

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
        changes["DATABASE_URL"] = own_database.create(options.database_url, name)
    if options.redis_url:
        flush_redis(options)
    DemoEnvironment.create("chaos").enter(
        **changes, **{DATABASE: name}, **_redis_variables(options), **_other_variables(options)
    )


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
        own_database.drop(options.database_url, database)
    if options.redis_url:
        flush_redis(options)
    return ""
