"""A queue and stored secrets that can't work are reported; tests/portal/test_environment.py has the variables."""

import pytest
from cryptography.fernet import Fernet

from integrations.checks import check_queue, check_stored_secrets
from tests.support import factories


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
