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
    "tests/queue/test_tasks.py",
    "tests/queue/test_worker.py",
    "tests/models/test_leasing.py",
    "tests/models/test_candidate_upsert.py",
    "tests/models/test_claim_statement.py",
    "tests/models/test_effect.py",
    "tests/models/test_delivery_indexes.py",
    "tests/models/test_append_only.py",
    "tests/models/test_migrations.py::test_the_migrations_make_what_the_models_state",
    "tests/models/test_text_search_index.py",
    "tests/test_pagination.py",
    "tests/management/test_verify_audit.py",
    "tests/devtools/chaos/every_point/test_injector.py",
    "tests/workflow",
]
#: Pure functions, which use no database, and what writes e-mails of rows that it reads by their keys.
LEFT_OUT = ["tests/workflow/rules", "tests/workflow/email"]


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.slow
def test_the_main_suites_pass_on_postgresql_and_redis():
    environ = os.environ | {"DATABASE_URL": test_suites.DATABASE_URL, "REDIS_URL": test_suites.REDIS_URL}
    environ = {name: value for name, value in environ.items() if not name.startswith("PYTEST_")}
    left_out = [f"--ignore={folder}" for folder in LEFT_OUT]
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *left_out, *SUITES]
    run = subprocess.run(
        argv, cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-6000:]
