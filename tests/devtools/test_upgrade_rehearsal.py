"""The example of how a table changes while the portal serves keeps the rules, and can be undone."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from portal.devtools.test_suites import DATABASE_URL
from portal.devtools.upgrades import problems
from tests.devtools.chaos.runs import run_chaos

RELEASE = "portal.devtools.upgrade_rehearsal.contract.migrations"
MOMENT = "2026-01-31 23:30:00"
SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'integrations_delivery' ORDER BY 1, 2"


def test_its_migrations_hold_nobody_up(settings) -> None:
    settings.MIGRATION_MODULES = {"integrations": RELEASE}
    loaded = MigrationLoader(None).disk_migrations
    own = [one for (app, _), one in loaded.items() if app == "integrations"]
    assert len(own) == 7
    assert problems(own) == []


@pytest.mark.slow
def test_on_sqlite_it_fills_old_rows_and_leaves_nothing_behind_when_it_is_undone(tmp_path: Path) -> None:
    file = tmp_path / "portal.sqlite3"

    def schema(*targets: str) -> list[tuple[str, ...]]:
        environ = os.environ | {
            "PORTAL_ENV_FILE": os.devnull,
            "SECRET_KEY": "x" * 60,
            "DATABASE_URL": f"sqlite:///{file}",
            "DJANGO_SETTINGS_MODULE": "portal.devtools.upgrade_rehearsal.settings",
            "PORTAL_REHEARSED_RELEASE": "contract",
        }
        for target in targets:
            argv = [
                sys.executable,
                "manage.py",
                "migrate",
                "--skip-checks",
                "--verbosity=0",
                "integrations",
                target,
            ]
            subprocess.run(argv, cwd=settings.BASE_DIR, env=environ, timeout=120, check=True)
        with closing(sqlite3.connect(file)) as database:
            return database.execute(SCHEMA).fetchall()

    def execute(statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("PRAGMA ignore_check_constraints = ON")
            return database.execute(statement).fetchall()

    def insert(table: str, **values: str) -> None:
        for _, name, _, is_required, default, _ in execute(f"PRAGMA table_info({table})"):
            if is_required and default is None:
                values.setdefault(name, f"'{MOMENT}'" if name.endswith("_at") else "1")
        execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})")

    before = schema("0001")
    insert("integrations_organization")
    insert("integrations_delivery", platform="'lever'", received_at=f"'{MOMENT}'", decided_at=f"'{MOMENT}'")
    after = schema("0007")
    assert {name for _, name, _ in after} - {name for _, name, _ in before} == {"delivery_by_day"}
    assert execute("SELECT received_on FROM integrations_delivery") == [("2026-01-31",)]
    assert [row[:2] for row in schema("0001")] == [row[:2] for row in before]


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.postgres
@pytest.mark.proxies
def test_no_webhook_is_refused_while_two_nodes_are_upgraded_and_taken_back(tmp_path: Path) -> None:
    table = run_chaos(tmp_path / "log", "--upgrade", "600", "--database-url", DATABASE_URL, seconds=900)
    assert (table["invited_twice"], table["lost"], table["wrong_answers"], table["uncertain"]) == (0, 0, 0, 0)
    assert table["answers"]["202"] >= table["moved"] > 0
    assert table["rows_filled"] > 20_000
