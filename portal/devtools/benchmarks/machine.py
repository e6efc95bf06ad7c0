"""The machine and the versions that a benchmark ran on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from django.db import connection

from portal.devtools.benchmarks.report import Json

PACKAGES = (
    "django",
    "djangorestframework",
    "django-q2",
    "psycopg",
    "granian",
    "requests",
    "redis",
)


def describe() -> Json:
    """Return cores, load, Python, the database and the versions of what a figure depends on."""
    return {
        "cores": os.cpu_count(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "database": _database(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def as_text(machine: Json) -> str:
    """Return the machine in one line."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{machine['cores']} cores, load {machine['load_before'][0]}, Python {machine['python']}, "
        f"{machine['database']}, {packages}"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _database() -> str:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()")
        return f"SQLite {cursor.fetchone()[0]}"
