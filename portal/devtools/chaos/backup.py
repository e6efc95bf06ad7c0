"""A backup of a run's database, made while the portal works, and put back in its place afterwards."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import connections

from portal.devtools import own_database
from portal.devtools.chaos import servers
from portal.devtools.chaos.options import Options
from portal.devtools.waiting import RunFailed

SECONDS = 120.0


class Backup:
    """One backup, in a folder: a copy of the SQLite file, or what pg_dump writes."""

    def __init__(self, options: Options, folder: Path) -> None:
        self._options = options
        self._path = folder / "backup"
        self._database = os.environ[servers.DATABASE]

    def make(self) -> None:
        """Make it, in one transaction of the database. Raises RunFailed."""
        if self._database:
            _run("pg_dump", "--format=custom", f"--file={self._path}", _url())
            return
        with closing(sqlite3.connect(_sqlite_file())) as source, closing(sqlite3.connect(self._path)) as copy:
            source.backup(copy)

    def put_back(self) -> None:
        """Replace the database by it; nothing may be connected any more. Raises RunFailed."""
        connections.close_all()
        if self._database:
            own_database.drop(self._options.database_url, self._database)
            own_database.create(self._options.database_url, self._database)
            _run("pg_restore", "--no-owner", f"--dbname={_url()}", str(self._path))
            return
        file = _sqlite_file()
        for name in (f"{file}-wal", f"{file}-shm"):
            Path(name).unlink(missing_ok=True)
        self._path.replace(file)


def _url() -> str:
    return os.environ["DATABASE_URL"]


def _sqlite_file() -> str:
    return str(settings.DATABASES["default"]["NAME"])


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise RunFailed(f"{argv[0]} ended with code {done.returncode}: {done.stderr[-500:]}")
