"""What the database itself decides holds on PostgreSQL and Redis as it does on SQLite.

That is: which row is claimed, locks and conflicts, constraints, triggers, searches, its clock, and the statements that
are written for both. The walk goes through every kind of effect; what an effect says is the same on any database.
"""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from portal.devtools import test_suites

#: Each part is a run of its own, so that the processes of a test run share them. The first runs for each change.
PARTS = {
    "taking in and working": [
        "tests/test_walk.py",
        "tests/webhooks/test_lever.py",
        "tests/clients/test_call_log.py",
        "tests/clients/test_lever_tokens.py",
        "tests/clients/test_limits_rate_limit.py",
        "tests/clients/test_models.py",
        "tests/management/test_migrating.py",
        "tests/queue/test_conflicts.py",
        "tests/queue/test_correlation.py",
        "tests/queue/test_enqueue.py",
        "tests/queue/test_notify.py",
        "tests/queue/test_statements.py",
        "tests/queue/test_worker_threads.py",
        "tests/queue/test_worker.py",
        "tests/queue/test_worker_crashes.py",
        "tests/store/test_leasing.py",
        "tests/store/test_claims.py",
        "tests/store/test_triggers.py",
        "tests/store/test_migrations.py::test_the_migrations_make_what_the_models_state",
        "tests/store/test_columns.py",
        "tests/devtools/chaos/every_point/test_injector.py",
        "tests/test_races.py",
    ],
    "deciding and following": [
        "tests/queue/test_broker.py",
        "tests/webhooks",
        "tests/clients",
        "tests/inbox",
        "tests/invitations",
        "tests/results",
        "tests/outbox",
    ],
    "what is kept and erased": [
        "tests/accounts",
        "tests/portal/accounts/test_passwords.py",
        "tests/api",
        "tests/audit/test_attacks.py",
        "tests/audit/test_concurrent_writers.py",
        "tests/audit/test_erasure.py",
        "tests/audit/test_chain_head.py",
        "tests/catalog",
        "tests/codescreen/test_models.py",
        "tests/health",
        "tests/lever/test_models_connection.py",
        "tests/lever/test_acts_webhooks.py",
        "tests/management/test_verify_audit.py",
        "tests/members",
        "tests/organizations",
        "tests/privacy",
    ],
}


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [pytest.param(part, marks=[pytest.mark.nightly] if number else []) for number, part in enumerate(PARTS)],
)
def test_what_the_database_decides_holds_on_postgresql_and_redis(part):
    # the parts have customers with the same numbers, whose calls Redis counts: only one of them may have it
    redis_url = test_suites.REDIS_URL if part == next(iter(PARTS)) else ""
    environ = os.environ | {"DATABASE_URL": test_suites.DATABASE_URL, "REDIS_URL": redis_url}
    environ = {name: value for name, value in environ.items() if not name.startswith("PYTEST_")}
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PARTS[part]]
    run = subprocess.run(
        argv, cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-6000:]
