"""The environment of a chaos run, with a database and a Redis of its own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

import redis
from django.db import connections

from portal.devtools import databases
from portal.devtools.chaos.processes import Proxy
from portal.devtools.chaos.run import Options
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import HOST, free_port

DATABASE = "PORTAL_CHAOS_DATABASE"  # the name of the run's own database; empty on SQLite


def flush_redis(options: Options) -> None:
    """Empty the run's Redis database."""
    with redis.Redis.from_url(options.redis_url) as connection:
        connection.flushdb()


REDIS_PORT = "PORTAL_CHAOS_REDIS_PORT"
READ_SECONDS = 3.0


def enter(options: Options) -> NoReturn:
    """Make the run's environment and replace this process by the same command in it."""
    changes: dict[str, str] = {}
    name = f"chaos_{options.seed}_{os.getpid()}" if options.database_url else ""
    if name:
        changes["DATABASE_URL"] = databases.create(options.database_url, name)
    if options.redis_url:
        flush_redis(options)
    environment = DemoEnvironment.create("chaos")
    changes |= {DATABASE: name, **_redis_variables(options), **_other_variables(options)}
    environment.enter(**changes)


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
        # without the rate limit thousands of events take minutes; `bench bulk` has it
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


def clear(environment: DemoEnvironment, options: Options) -> None:
    """Remove what the run made."""
    connections.close_all()
    database = os.environ[DATABASE]
    shutil.rmtree(environment.folder, ignore_errors=True)
    if database:
        databases.drop(options.database_url, database)
    if options.redis_url:
        flush_redis(options)
