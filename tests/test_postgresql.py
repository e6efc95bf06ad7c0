"""The main suites pass on PostgreSQL and Redis as they do on SQLite."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from portal.devtools import test_suites

SUITES = [
    "tests/test_walk.py",
    "tests/webhooks",
    "tests/clients",
    "tests/queue/test_notify.py",
    "tests/queue/test_worker_threads.py",
    "tests/queue/test_worker.py",
    "tests/store/test_leasing.py",
    "tests/store/test_claims_claim_statement.py",
    "tests/store/test_delivery_indexes.py",
    "tests/store/test_append_only.py",
    "tests/store/test_migrations.py::test_the_migrations_make_what_the_models_state",
    "tests/store/test_columns_text_search_index.py",
    "tests/test_pagination.py",
    "tests/management/test_verify_audit.py",
    "tests/devtools/chaos/every_point/test_injector.py",
    "tests/accounts",
    "tests/audit",
    "tests/catalog",
    "tests/codescreen",
    "tests/effects",
    "tests/health",
    "tests/inbox",
    "tests/invitations",
    "tests/lever/test_connection.py",
    "tests/lever/test_lever_webhooks.py",
    "tests/lever/test_lever_webhooks_tokens.py",
    "tests/members",
    "tests/notifications/test_acts.py",
    "tests/organizations",
    "tests/outbox",
    "tests/privacy",
    "tests/queue/test_conflicts.py",
    "tests/queue/test_correlation.py",
    "tests/queue/test_enqueue.py",
    "tests/queue/test_lever_calls.py",
    "tests/queue/test_statements.py",
    "tests/queue/test_worker_crashes.py",
    "tests/results",
    "tests/single_sign_on",
]


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.slow
def test_the_main_suites_pass_on_postgresql_and_redis():
    environ = os.environ | {"DATABASE_URL": test_suites.DATABASE_URL, "REDIS_URL": test_suites.REDIS_URL}
    environ = {name: value for name, value in environ.items() if not name.startswith("PYTEST_")}
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITES]
    run = subprocess.run(
        argv, cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-6000:]
