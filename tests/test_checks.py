"""A configuration that can't work is reported as a numbered check with the fix."""

import pytest
from cryptography.fernet import Fernet
from django.core.checks import Tags, run_checks

from integrations.checks import check_encryption_keys, check_lever_app, check_queue, check_stored_secrets
from portal.environment import Wrong
from tests.support import factories


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([], "integrations.E001"),
        (["not a key"], "integrations.E002"),
        ([Fernet.generate_key().decode(), ""], "integrations.E002"),
        (["ä"], "integrations.E002"),
    ],
)
def test_encryption_keys_are_reported_when_missing_or_malformed(settings, keys, expected):
    settings.FIELD_ENCRYPTION_KEYS = keys
    [message] = check_encryption_keys(None)
    assert message.id == expected
    assert message.hint
    assert all(key not in str(message) for key in keys if key)


def test_a_valid_encryption_key_is_accepted(settings):
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert check_encryption_keys(None) == []


@pytest.mark.parametrize(
    ("client_id", "secret", "expected"),
    [
        ("", "", ["integrations.W001"]),
        ("x", "", ["integrations.E003"]),
        ("", "x", ["integrations.E003"]),
        ("x", "x", []),
    ],
)
def test_the_lever_app_is_reported_when_missing_or_incomplete(settings, client_id, secret, expected):
    settings.LEVER_CLIENT_ID, settings.LEVER_CLIENT_SECRET = client_id, secret
    assert [message.id for message in check_lever_app(None)] == expected


@pytest.mark.parametrize(
    ("timeout", "retry", "expected"),
    [(60, 180, []), (60, 60, ["integrations.E004"]), (60, 10, ["integrations.E004"])],
)
def test_the_queue_is_reported_when_it_retries_before_the_timeout(settings, timeout, retry, expected):
    settings.Q_CLUSTER = settings.Q_CLUSTER | {"timeout": timeout, "retry": retry}
    assert [message.id for message in check_queue(None)] == expected


@pytest.mark.parametrize("make", [factories.CodeScreenConnectionFactory, factories.LeverConnectionFactory])
def test_stored_secrets_are_reported_when_no_key_decrypts_them(db, settings, make):
    make.create()
    assert check_stored_secrets(None) == []
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    assert check_stored_secrets(None) == []
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    [message] = check_stored_secrets(None)
    assert (message.id, message.is_serious()) == ("integrations.W002", False)
    assert "Put the key" in (message.hint or "")


def test_a_malformed_variable_is_reported_by_the_checks_that_run_at_start(settings, db):
    settings.CONFIGURATION_ERRORS = [
        Wrong("E001", "SECRET_KEY", "SECRET_KEY is not set."),
        Wrong("E005", "WEB_WORKERS", "Not a number."),
    ]
    reported = {message.id for message in run_checks(tags=[Tags.security])}
    assert {"portal.E001", "portal.E005"} <= reported
