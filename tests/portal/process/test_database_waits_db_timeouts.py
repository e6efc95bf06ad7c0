"""Every database connection gets time-outs."""

from datetime import timedelta

import environ
import pytest
from django.db.models.signals import post_migrate, pre_migrate
from django.db.utils import ConnectionHandler

from integrations.store.leasing import LEASE
from portal.devtools import test_suites
from portal.middleware import WEBHOOK_SECONDS
from portal.process import database_waits


@pytest.mark.postgres
def test_a_postgresql_connection_has_both_timeouts(db):
    server = ConnectionHandler({"default": environ.Env.db_url_config(test_suites.DATABASE_URL)})["default"]
    try:
        with server.cursor() as cursor:
            for name in ("idle_in_transaction_session_timeout", "lock_timeout"):
                cursor.execute(f"SHOW {name}")
                assert cursor.fetchone() == (f"{database_waits.TIMEOUT_SECONDS}s",)
    finally:
        server.close()


@pytest.mark.postgres
def test_a_migration_takes_its_time_but_waits_briefly_for_a_lock_unless_it_holds_nobody_up(db, monkeypatch):
    handler = ConnectionHandler({"default": environ.Env.db_url_config(test_suites.DATABASE_URL)})
    monkeypatch.setattr(database_waits, "connections", handler)
    server = handler["default"]
    try:
        database_waits.relax_timeouts_before_migrating(using="default")
        assert timeouts(server) == ["0", "2s"]
        database_waits.set_timeouts_of_migration(server, is_atomic=False)
        assert timeouts(server) == ["0", "0"]
        database_waits.set_timeouts_of_migration(server, is_atomic=True)
        assert timeouts(server) == ["0", "2s"]
        database_waits.restore_timeouts(using="default")
        assert timeouts(server) == [f"{database_waits.TIMEOUT_SECONDS}s"] * 2
    finally:
        server.close()


def timeouts(server) -> list[str]:
    """Return for how long a transaction may be idle, and how long a statement waits for a lock."""
    found = []
    with server.cursor() as cursor:
        for name in ("idle_in_transaction_session_timeout", "lock_timeout"):
            cursor.execute(f"SHOW {name}")
            found += cursor.fetchone()
    return found


def test_migrations_have_timeouts_of_their_own():
    receivers = ((pre_migrate, "relax_timeouts_before_migrating"), (post_migrate, "restore_timeouts"))
    for signal, receiver in receivers:
        assert receiver in {key[0] for key, *_ in signal.receivers}


def test_a_webhook_outlasts_the_wait_of_a_migration():
    assert database_waits.MIGRATION_LOCK_SECONDS + 1 < WEBHOOK_SECONDS


def test_locks_end_before_leases():
    assert timedelta(seconds=2 * database_waits.TIMEOUT_SECONDS) < LEASE
