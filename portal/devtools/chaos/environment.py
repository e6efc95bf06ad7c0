"""Where a run takes place: an environment, a folder and a database of its own, which go with it."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from django.conf import settings
from django.core.management import CommandError
from django.db import connections
from psycopg import sql

from portal.devtools.chaos.options import Options
from portal.devtools.chaos.proxy import Proxy
from portal.devtools.demo.environment import FOLDER, HOST, Stage, free_port

DATABASE = "PORTAL_CHAOS_DATABASE"
REDIS_PORT = "PORTAL_CHAOS_REDIS_PORT"
FAULT_FREE = "PORTAL_CHAOS_FAULT_FREE_SECONDS"
READ_SECONDS = 3.0
RESTART_SECONDS = 60.0


def is_prepared() -> bool:
    """Whether this process runs in the environment that `begin` made."""
    return DATABASE in os.environ


def begin(options: Options) -> None:
    """Start the command again in an environment of the run's own, since settings are read before a command runs."""
    if options.compare:
        os.environ[FAULT_FREE] = str(_take_fault_free_seconds())
    name = f"chaos_{options.seed}_{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="codescreen-lever-chaos-"))
    if options.database_url:
        with _server(options) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    if options.redis_url:
        flush(options)
    environ = os.environ | Stage.choose(None).environment(folder) | _differences(options, name)
    manage = str(settings.BASE_DIR / "manage.py")
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, manage, *sys.argv[1:]], environ)  # noqa: S606


def _take_fault_free_seconds() -> float:
    """Return how long the same moves take when nothing goes wrong. Raises CommandError unless every promise held."""
    arguments = [name for name in sys.argv[1:] if name not in {"--compare", "--json", "--keep"}]
    calm = ["--faults", "0", "--kill-every", "0", "--redis-away", "0", "--json"]
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments, *calm]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CommandError(f"The run without faults ended with code {done.returncode}.")
    found = json.loads(done.stdout)
    return float(found["seconds_with_faults"] + found["seconds_to_settle"])


@contextmanager
def before_redis(options: Options) -> Iterator[Proxy | None]:
    """Yield what stands before Redis, None in a run in which it won't be away."""
    port = int(os.environ.get(REDIS_PORT) or 0)
    if not port:
        yield None
        return
    at = urlsplit(options.redis_url)
    with Proxy(port, (at.hostname or HOST, at.port or 6379)) as proxy:
        yield proxy


def fault_free_seconds() -> float | None:
    """Return how long the same moves took when nothing went wrong, None where they weren't made."""
    return float(os.environ[FAULT_FREE]) if FAULT_FREE in os.environ else None


def _differences(options: Options, name: str) -> dict[str, str]:
    """Return what differs from the demo's environment."""
    redis_url, redis_port = options.redis_url, 0
    if options.redis_away:
        redis_port = free_port()
        at = urlsplit(redis_url)
        user, _, _ = at.netloc.rpartition("@")
        netloc = f"{user}@" * bool(user) + f"{HOST}:{redis_port}"
        redis_url = urlunsplit(at._replace(netloc=netloc))
    changes = {
        DATABASE: name if options.database_url else "",
        REDIS_PORT: str(redis_port),
        "REDIS_URL": redis_url,
        "WEB_WORKERS": "2",
        "POLL_NOT_STARTED_SECONDS": str(options.poll_seconds),
        "POLL_IN_PROGRESS_SECONDS": str(options.poll_seconds),
    }
    if options.database_url:
        changes["DATABASE_URL"] = urlunsplit(urlsplit(options.database_url)._replace(path=f"/{name}"))
    if options.has_faults:
        # so that thousands of events take minutes: the pacing has a run of its own
        changes |= {"LEVER_RATE": "1000", "LEVER_BURST": "1000000"}
        changes["PLATFORM_READ_SECONDS"] = str(READ_SECONDS)
    return changes


@contextmanager
def _server(options: Options) -> Iterator[psycopg.Connection]:
    with psycopg.connect(options.database_url, autocommit=True, connect_timeout=10) as server:
        yield server


def cut_connections(options: Options) -> None:
    """End every connection to the run's database: what clients see of a database that restarts."""
    with _server(options) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [os.environ[DATABASE]],
        )


def restart_database(options: Options) -> float:
    """Restart the server, and return when it took connections again. Raises psycopg.Error when it doesn't come back."""
    # its output isn't ours to wait for: a server that is started keeps it open
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
            with _server(options):
                return time.time()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def flush(options: Options) -> None:
    """Forget everything in the run's Redis database."""
    with redis.Redis.from_url(options.redis_url) as server:
        server.flushdb()


def clear(options: Options) -> str:
    """Remove what the run made; what is left of it, in words, where it was asked to stay."""
    connections.close_all()
    folder, name = Path(os.environ[FOLDER]), os.environ[DATABASE]
    if options.keep:
        return f"Kept: {folder}" + (f" and the database {name}" if name else "")
    shutil.rmtree(folder, ignore_errors=True)
    if name:
        with _server(options) as server:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            server.execute(statement)
    if options.redis_url:
        flush(options)
    return ""
