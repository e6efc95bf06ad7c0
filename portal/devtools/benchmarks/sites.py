"""Django projects that are measured beside the portal, each with a database of its own, under the portal's server."""

import os
import sqlite3
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from psycopg import sql

from portal.devtools import databases
from portal.devtools.processes import HOST, RunFailed
from portal.process.supervisor import Program

#: Processes of each site's web server.
WEB_WORKERS = 2

BARE_SITE = "portal.devtools.benchmarks.bare_site.settings"
DJ_STRIPE_SITE = "portal.devtools.benchmarks.dj_stripe_site.settings"
DJ_STRIPE_PACKAGES = ("dj-stripe==2.11.*", "granian", "psycopg[binary]", "django-environ")
INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Site:
    """One project: the Python that runs it, its settings and its database."""

    python: str
    settings: str
    database_url: str

    def environ(self) -> Mapping[str, str]:
        """Return the variables of its processes."""
        return {
            "PYTHONPATH": str(settings.BASE_DIR),
            "DJANGO_SETTINGS_MODULE": self.settings,
            "DATABASE_URL": self.database_url,
            "WEB_WORKERS": str(WEB_WORKERS),
        }

    def run(self, *arguments: str) -> str:
        """Run its Python with these arguments; return what was printed. Raises RunFailed."""
        ended = subprocess.run(
            [self.python, *arguments],
            env={**os.environ, **self.environ()},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise RunFailed(f"{self.settings}: {ended.stderr.strip()}")
        return ended.stdout

    def migrate(self) -> None:
        """Make its tables. Raises RunFailed."""
        self.run("-m", "django", "migrate", "--run-syncdb", "--verbosity", "0")

    def server(self, name: str, port: int) -> Program:
        """Return the portal's web server for this project."""
        return Program(name, [self.python, "-P", "-m", "portal.asgi", HOST, str(port)], env=self.environ())

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        if urlsplit(self.database_url).scheme == "sqlite":
            path = urlsplit(self.database_url).path
            with closing(sqlite3.connect(path)) as file:
                return int(file.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608
        with psycopg.connect(self.database_url) as connection:
            statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            row = connection.execute(statement).fetchone()
            return int(row[0]) if row else 0


@contextmanager
def site_database(options: Namespace, folder: Path, name: str) -> Iterator[str]:
    """Give a project a database beside the portal's, on the same server or as a file; remove it afterwards."""
    if not options.database_url:
        yield f"sqlite:///{folder / name}.sqlite3"
        return
    created = f"portal_bench_{name}_{os.getpid()}"
    try:
        yield databases.create(options.database_url, created)
    finally:
        databases.drop(options.database_url, created)


def dj_stripe_python(folder: Path) -> str:
    """Make an environment with dj-stripe in the folder; return its Python. Raises RunFailed where that can't be."""
    python = folder / "dj-stripe" / "bin" / "python"
    for argv in (
        [sys.executable, "-m", "venv", str(folder / "dj-stripe")],
        [str(python), "-m", "pip", "install", "--quiet", *DJ_STRIPE_PACKAGES],
    ):
        try:
            ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RunFailed(str(error)) from error
        if ended.returncode:
            raise RunFailed((ended.stderr.strip() or ended.stdout.strip()).splitlines()[-1])
    return str(python)
