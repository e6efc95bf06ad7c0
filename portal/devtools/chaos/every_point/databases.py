"""The databases of the runs: a file in memory where the machine has a folder there, or one of a PostgreSQL server.

Each run has a copy of the database as its job had left it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection, connections

from portal.devtools.databases import create as create_database
from portal.devtools.databases import drop, prepare
from portal.devtools.demo.environment import DemoEnvironment

MEMORY = Path("/dev/shm")  # noqa: S108
#: The server on which the databases are, in the environment of the runs; empty on SQLite.
SERVER = "PORTAL_EVERY_POINT_SERVER"


def create(environment: DemoEnvironment, server_url: str) -> dict[str, str]:
    """Create the first database; return the environment variables that lead to it. Raises psycopg.Error."""
    if server_url:
        url = create_database(server_url, f"every_point_{os.getpid()}")
        prepare(url)
    else:
        folder = _folder(environment)
        folder.mkdir(exist_ok=True)
        url = f"sqlite:///{folder / 'base.sqlite3'}"
    return {"DATABASE_URL": url, SERVER: server_url}


@contextmanager
def own_copy() -> Iterator[None]:
    """Let this process work on a copy of its database, which is removed afterwards. No connection may be open."""
    settings = connection.settings_dict
    before = str(settings["NAME"])
    server = os.environ[SERVER]
    if server:
        settings["NAME"] = f"{before}_{os.getpid()}"
        create_database(server, settings["NAME"], before)
    else:
        settings["NAME"] = str(Path(before).with_name(f"{os.getpid()}.sqlite3"))
        shutil.copyfile(before, settings["NAME"])
    try:
        yield
    finally:
        connections.close_all()
        _remove(settings["NAME"])
        settings["NAME"] = before


def back_up() -> None:
    """Keep a copy of this process's database as it is now."""
    connections.close_all()
    name = str(connection.settings_dict["NAME"])
    if server := os.environ[SERVER]:
        create_database(server, _backup_of(name), name)
    else:
        shutil.copyfile(name, _backup_of(name))


def put_back() -> None:
    """Let the kept copy take the database's place."""
    connections.close_all()
    name = str(connection.settings_dict["NAME"])
    _remove(name)
    if server := os.environ[SERVER]:
        create_database(server, name, _backup_of(name))
        drop(server, _backup_of(name))
    else:
        Path(_backup_of(name)).replace(name)


def _backup_of(name: str) -> str:
    return f"{name}_backup"


def _remove(name: str) -> None:
    if server := os.environ[SERVER]:
        drop(server, name)
        return
    for suffix in ("", "-wal", "-shm"):
        Path(f"{name}{suffix}").unlink(missing_ok=True)


def clear(environment: DemoEnvironment) -> None:
    """Remove the first database, and the copies of runs that were ended before they could."""
    connections.close_all()
    shutil.rmtree(_folder(environment), ignore_errors=True)
    if server := os.environ[SERVER]:
        name = str(connection.settings_dict["NAME"])
        with psycopg.connect(server) as reader:
            names = reader.execute(
                "SELECT datname FROM pg_database WHERE datname = %s OR starts_with(datname, %s)",
                [name, f"{name}_"],
            ).fetchall()
        for (found,) in names:
            drop(server, found)


def _folder(environment: DemoEnvironment) -> Path:
    return MEMORY / environment.folder.name if MEMORY.is_dir() else environment.folder / "databases"
