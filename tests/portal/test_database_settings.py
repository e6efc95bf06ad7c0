"""What the portal relies on in each session of its database, and who can read SQLite's files."""

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from unittest.mock import Mock

import environ
import psycopg
import pytest
from django.db.migrations import Migration
from django.db.utils import ConnectionHandler

from integrations.store.leasing import LEASE
from portal.database_settings import LOCK_SECONDS, database_settings
from portal.devtools import test_suites
from portal.devtools.processes import wait_until
from portal.management.commands import migrate

#: By what a session shows.
SESSION = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    "default_transaction_isolation": "read committed",
    "jit": "off",
    "application_name": "portal",
}


def shown(session) -> dict[str, str]:
    """Return those settings as they are in a session."""
    found = {}
    with session.cursor() as cursor:
        for name in SESSION:
            cursor.execute(f"SHOW {name}")
            found[name] = cursor.fetchone()[0]
    return found


@pytest.fixture
def server(db):
    given = environ.Env.db_url_config(test_suites.DATABASE_URL)
    one = ConnectionHandler({"default": database_settings(given)})["default"]
    yield one
    one.close()


@pytest.mark.postgres
def test_a_session_has_what_the_portal_relies_on_whatever_the_environment_says(server, monkeypatch):
    monkeypatch.setenv("PGOPTIONS", r"-c default_transaction_isolation=repeatable\ read -c jit=on")
    assert shown(server) == SESSION


@pytest.mark.postgres
def test_a_migration_takes_its_time_but_waits_briefly_for_a_lock(server, monkeypatch):
    during = []
    monkeypatch.setattr(migrate, "connections", {"default": server})
    django = "django.core.management.commands.migrate.Command.handle"
    monkeypatch.setattr(django, lambda *_, **__: during.append(shown(server)))
    migrate.Command().handle(database="default")
    time_outs = {"statement_timeout": "0", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "0"}
    assert during == [SESSION | time_outs]
    assert shown(server) == SESSION


@pytest.mark.slow
@pytest.mark.postgres
def test_a_migration_whose_lock_is_held_lets_others_through_and_goes_on_once_it_is_free(server, monkeypatch):
    def add_column(command, **_):
        command.verbosity = 1
        command.migration_progress_callback("apply_start", Migration("0002_weight", "parcels"))
        with server.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN weight int")

    def others() -> None:
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
        try:
            wait_until(lambda: writer.execute(waiting, [table]).fetchone(), 60, "it didn't begin")
            began_at = time.monotonic()
            writer.execute(f"INSERT INTO {table} DEFAULT VALUES")
            assert time.monotonic() - began_at < 4
            wait_until(lambda: "It is tried again" in said.getvalue(), 60, "it doesn't say that it waits")
        finally:
            reader.rollback()

    table, said = f"parcels_{os.getpid()}", StringIO()
    monkeypatch.setattr(migrate, "connections", {"default": server})
    monkeypatch.setattr(migrate, "PAUSE_SECONDS", 1.0)
    monkeypatch.setattr("django.core.management.commands.migrate.Command.handle", add_column)
    with psycopg.connect(test_suites.DATABASE_URL, autocommit=True) as writer, ThreadPoolExecutor() as pool:
        writer.execute(f"CREATE TABLE {table} (id serial)")
        with psycopg.connect(test_suites.DATABASE_URL, application_name="a backup") as reader:
            reader.execute(f"SELECT * FROM {table}")
            beside = pool.submit(others)
            migrate.Command(stdout=said).handle(database="default")
            beside.result()
        assert writer.execute(f"SELECT id, weight FROM {table}").fetchall() == [(1, None)]
        writer.execute(f"DROP TABLE {table}")
    assert "parcels.0002_weight: a lock time-out. It is tried again in 1 s." in said.getvalue()


def test_locks_end_before_leases_and_a_migrations_before_all_others():
    assert timedelta(seconds=2 * LOCK_SECONDS) < LEASE
    assert migrate.LOCK_SECONDS * 2 < LOCK_SECONDS


@pytest.fixture
def connect(db, tmp_path):
    """Return a function that connects to a database in the folder, writes, and returns the files' modes."""
    former = os.umask(0o000)
    opened = []

    def make() -> dict[str, str]:
        given = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "portal.sqlite3")}
        session = ConnectionHandler({"default": database_settings(given)})["default"]
        opened.append(session)
        with session.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS t (a)")
        return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in sorted(tmp_path.iterdir())}

    yield make
    os.umask(former)
    for session in opened:
        session.close()


def test_sqlites_files_are_their_owners_alone_whatever_the_umask(connect, tmp_path):
    private = dict.fromkeys(["portal.sqlite3", "portal.sqlite3-shm", "portal.sqlite3-wal"], "0o600")
    assert connect() == private
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    assert connect() == private


def test_a_file_of_somebody_else_is_named_with_the_fix(connect, monkeypatch, caplog):
    monkeypatch.setattr("pathlib.Path.chmod", Mock(side_effect=PermissionError))
    connect()
    assert "chmod 600" in caplog.text
