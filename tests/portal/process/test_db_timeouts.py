"""Every database connection gets time-outs."""

from datetime import timedelta

import environ
import pytest
from django.db.models.signals import post_migrate, pre_migrate
from django.db.utils import ConnectionHandler

from integrations.models.leasing import LEASE
from portal.devtools import test_suites
from portal.process import db_timeouts


@pytest.mark.postgres
def test_a_postgresql_connection_has_both_timeouts(db):
    server = ConnectionHandler({"default": environ.Env.db_url_config(test_suites.DATABASE_URL)})["default"]
    try:
        with server.cursor() as cursor:
            for name in ("idle_in_transaction_session_timeout", "lock_timeout"):
                cursor.execute(f"SHOW {name}")
                assert cursor.fetchone() == (f"{db_timeouts.TIMEOUT_SECONDS}s",)
    finally:
        server.close()


@pytest.mark.postgres
def test_the_timeouts_are_lifted_while_the_database_is_migrated(db, monkeypatch):
    handler = ConnectionHandler({"default": environ.Env.db_url_config(test_suites.DATABASE_URL)})
    monkeypatch.setattr(db_timeouts, "connections", handler)
    server = handler["default"]
    try:
        restored = f"{db_timeouts.TIMEOUT_SECONDS}s"
        for receive, expected in ((db_timeouts.lift_timeouts, "0"), (db_timeouts.restore_timeouts, restored)):
            receive(using="default")
            with server.cursor() as cursor:
                for name in ("idle_in_transaction_session_timeout", "lock_timeout"):
                    cursor.execute(f"SHOW {name}")
                    assert cursor.fetchone() == (expected,)
    finally:
        server.close()


def test_migrations_lift_and_restore_the_timeouts():
    for signal, receiver in ((pre_migrate, "lift_timeouts"), (post_migrate, "restore_timeouts")):
        assert receiver in {key[0] for key, *_ in signal.receivers}


def test_locks_end_before_leases():
    assert timedelta(seconds=2 * db_timeouts.TIMEOUT_SECONDS) < LEASE
