"""Commands that migrate first say clearly why they can't."""

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from integrations.management import migrating


@pytest.fixture(autouse=True)
def _well_configured(settings):
    settings.CONFIGURATION_ERRORS = []


@pytest.mark.parametrize("command", [("doctor",), ("configure", "acme.toml")])
def test_a_command_ends_with_a_sentence_when_the_database_is_down(monkeypatch, command):
    def fail(*_):
        raise OperationalError("connection refused")

    monkeypatch.setattr(migrating, "is_migrated", fail)
    with pytest.raises(CommandError, match=r"doesn't answer.*connection refused"):
        call_command(*command)


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
    settings.CONFIGURATION_ERRORS = [("DATABASE_URL", "DATABASE_URL is malformed.")]
    call_command("doctor")
    assert migrated == []
