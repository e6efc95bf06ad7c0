"""The PostgreSQL and Redis servers that a run uses, and how it disturbs them."""

import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import redis

from portal.devtools.chaos.options import Options

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
