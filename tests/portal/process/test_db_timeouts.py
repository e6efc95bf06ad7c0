"""Every database connection gets time-outs."""

from datetime import timedelta

import environ
import pytest
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


def test_locks_end_before_leases():
    assert timedelta(seconds=2 * db_timeouts.TIMEOUT_SECONDS) < LEASE
