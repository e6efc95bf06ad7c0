"""Commands that migrate first say clearly why they can't."""

import sys
import time
from io import StringIO
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import OperationalError, connection

import manage
from integrations.management import migrating
from portal import bootstrap, checks
from portal.environment import Wrong
from tests.support.at_once import run_at_once


@pytest.fixture(autouse=True)
def _well_configured(settings):
    settings.CONFIGURATION_ERRORS = []


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


def test_a_command_ends_with_a_sentence_when_the_database_is_down(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["manage.py", "doctor"])
    monkeypatch.setattr(bootstrap, "enter", lambda root: None)
    monkeypatch.setattr(connection, "ensure_connection", Mock(side_effect=OperationalError("refused")))
    with pytest.raises(SystemExit, match=r"^The database doesn't answer\. .* \(refused\)$"):
        manage.main()
    [warning] = checks.check_database(None)
    assert (warning.id, "can't be reached: refused" in warning.msg) == ("portal.W008", True)


@pytest.mark.django_db(transaction=True)
def test_of_nodes_that_start_at_once_one_migrates(monkeypatch):
    applied: list[str] = []

    def apply(name: str, **_: object) -> None:
        time.sleep(0.1)
        applied.append(name)

    monkeypatch.setattr(migrating, "is_migrated", lambda: bool(applied))
    monkeypatch.setattr(migrating, "call_command", apply)
    assert run_at_once(lambda: migrating.migrate(OutputWrapper(StringIO()))) == []
    assert applied == ["migrate"]
