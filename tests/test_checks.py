"""A configuration that can't work is a numbered check with the fix in it."""

import pytest
from cryptography.fernet import Fernet

from integrations.checks import check_encryption_keys, check_lever_app, check_queue


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ([], "integrations.E001"),
        (["not a key"], "integrations.E002"),
        ([Fernet.generate_key().decode(), ""], "integrations.E002"),
        (["ä"], "integrations.E002"),
    ],
)
def test_encryption_keys(settings, keys, found):
    settings.FIELD_ENCRYPTION_KEYS = keys
    [message] = check_encryption_keys(None)
    assert message.id == found
    assert message.hint
    assert all(key not in str(message) for key in keys if key)


def test_a_good_key_is_fine(settings):
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert check_encryption_keys(None) == []


@pytest.mark.parametrize(
    ("client_id", "secret", "found"),
    [
        ("", "", ["integrations.W001"]),
        ("x", "", ["integrations.E003"]),
        ("", "x", ["integrations.E003"]),
        ("x", "x", []),
    ],
)
def test_the_lever_app(settings, client_id, secret, found):
    settings.LEVER_CLIENT_ID, settings.LEVER_CLIENT_SECRET = client_id, secret
    assert [message.id for message in check_lever_app(None)] == found


@pytest.mark.parametrize(
    ("timeout", "retry", "found"),
    [(60, 180, []), (60, 60, ["integrations.E004"]), (60, 10, ["integrations.E004"])],
)
def test_the_queue(settings, timeout, retry, found):
    settings.Q_CLUSTER = settings.Q_CLUSTER | {"timeout": timeout, "retry": retry}
    assert [message.id for message in check_queue(None)] == found
