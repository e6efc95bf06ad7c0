"""What the portal relies on in each session of its database, and who can read SQLite's files."""

import os
import stat
from datetime import timedelta

import environ
import psycopg
import pytest
from django.db.utils import ConnectionHandler

from integrations.store.leasing import LEASE
from portal.database_settings import LOCK_SECONDS, database_settings
from portal.devtools import test_suites
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
def test_a_connection_that_ended_is_replaced_before_a_request_uses_it(server):
    def request() -> int:
        server.close_if_unusable_or_obsolete()
        with server.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    first = request()
    with psycopg.connect(test_suites.DATABASE_URL, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    assert request() != first


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
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.chmod", refuse)
    connect()
    assert "chmod 600" in caplog.text
