"""Commands that migrate first say clearly why they can't."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import OperationalError

from integrations.management import migrating
from portal.environment import Wrong

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _well_configured(settings):
    settings.CONFIGURATION_ERRORS = []


def run_without_database(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py whose database doesn't answer."""
    environ = os.environ | {
        "PORTAL_ENV_FILE": os.devnull,
        "SECRET_KEY": "0123456789" * 6,
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": "postgresql://portal@127.0.0.1:9/portal",  # nothing listens on the discard port
    }
    argv = [sys.executable, "manage.py", *command]
    return subprocess.run(argv, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_check_reports_the_configuration_when_the_database_is_down():
    run = run_without_database("check")
    assert run.returncode == 0
    assert "LEVER_CLIENT_ID is not set" in run.stderr
    assert "(portal.W008) The database of DATABASE_URL can't be reached" in run.stderr


def test_a_command_ends_with_a_sentence_when_the_database_is_down():
    run = run_without_database("doctor")
    assert run.returncode == 1
    assert "(portal.W008) The database of DATABASE_URL can't be reached" in run.stderr
    assert "\nThe database doesn't answer." in run.stderr
    assert "Traceback" not in run.stderr


def test_a_failed_migration_is_a_sentence(db, monkeypatch):
    def fail(name, **_):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(migrating, "is_migrated", lambda: False)
    monkeypatch.setattr(migrating, "call_command", fail)
    with pytest.raises(CommandError, match="could not be brought up to date"):
        call_command("doctor")


def test_no_database_is_migrated_when_the_configuration_is_malformed(db, settings, monkeypatch):
    migrated: list[object] = []
    monkeypatch.setattr(migrating, "migrate", migrated.append)
    settings.CONFIGURATION_ERRORS = [Wrong("E003", "DATABASE_URL", "DATABASE_URL is malformed.")]
    call_command("doctor")
    assert migrated == []
