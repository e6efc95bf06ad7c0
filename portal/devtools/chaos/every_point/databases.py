"""The databases of the runs: each has a copy of the database as its job had left it, a file or one of a server."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, connections

from portal.devtools.databases import create, drop
from portal.devtools.demo.environment import SERVER


@contextmanager
def own_copy() -> Iterator[None]:
    """Let this process work on a copy of its database, which is removed afterwards. No connection may be open."""
    settings = connection.settings_dict
    before = str(settings["NAME"])
    settings["NAME"] = f"{before}_{os.getpid()}"
    _copy(before, settings["NAME"])
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
    _copy(name, f"{name}_backup")


def put_back() -> None:
    """Let the kept copy take the database's place."""
    connections.close_all()
    name = str(connection.settings_dict["NAME"])
    _remove(name)
    _copy(f"{name}_backup", name)
    _remove(f"{name}_backup")


def _copy(name: str, to: str) -> None:
    if server := os.environ[SERVER]:
        create(server, to, name)
    else:
        shutil.copyfile(name, to)


def _remove(name: str) -> None:
    if server := os.environ[SERVER]:
        drop(server, name)
        return
    for suffix in ("", "-wal", "-shm"):
        Path(f"{name}{suffix}").unlink(missing_ok=True)
