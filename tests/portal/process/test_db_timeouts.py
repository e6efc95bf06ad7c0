"""What a connection is told."""

from datetime import timedelta

import environ
import pytest
from django.db.utils import ConnectionHandler

from integrations.models.leasing import LEASE
from portal.devtools import test_suites
from portal.process import db_timeouts


@pytest.mark.postgres
def test_postgresql_ends_the_transaction_of_a_process_that_stopped_in_it(db):
    server = ConnectionHandler({"default": environ.Env.db_url_config(test_suites.DATABASE_URL)})["default"]
    try:
        with server.cursor() as cursor:
            for name in ("idle_in_transaction_session_timeout", "lock_timeout"):
                cursor.execute(f"SHOW {name}")
                assert cursor.fetchone() == (f"{db_timeouts.FROZEN_SECONDS}s",)
    finally:
        server.close()


def test_its_locks_end_before_its_leases():
    assert timedelta(seconds=2 * db_timeouts.FROZEN_SECONDS) < LEASE
