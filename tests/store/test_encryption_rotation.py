"""Encrypting every secret with the first key: whatever happens meanwhile, no secret is lost or overwritten."""

import pytest
from cryptography.fernet import Fernet

from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.store.encryption import Rotation, renewed, rotate_secrets
from tests.store.test_encryption_field import stored
from tests.support import factories


@pytest.fixture
def keys(settings):
    """The old key and the new one, which is put first."""
    [old] = settings.FIELD_ENCRYPTION_KEYS
    new = Fernet.generate_key().decode()

    def use(*chosen: str) -> None:
        settings.FIELD_ENCRYPTION_KEYS = list(chosen)

    return old, new, use


def test_every_secret_is_under_the_first_key_afterwards(organization, keys):
    old, new, use = keys
    connection = factories.LeverConnectionFactory(organization=organization)
    webhook = factories.LeverWebhookFactory(organization=organization)
    webhook.replace_token("next-token")
    factories.CodeScreenConnectionFactory(
        organization=organization, api_key="clé 🔑" * 50, webhook_secret=factories.WEBHOOK_SECRET
    )
    use(new, old)
    rotation = rotate_secrets()
    assert (rotation.rotated, rotation.unchanged, rotation.unreadable) == (6, 0, [])
    use(new)
    connection.refresh_from_db()
    assert connection.access_token == "access-1"
    webhook.refresh_from_db()
    assert (webhook.signature_token, webhook.previous_signature_token) == (
        "next-token",
        factories.SIGNATURE_TOKEN,
    )
    organization.refresh_from_db()
    assert organization.codescreen.api_key == "clé 🔑" * 50
    assert (rotate_secrets().rotated, rotate_secrets().unchanged) == (0, 6)


def test_empty_secrets_stay_empty(organization, keys):
    old, new, use = keys
    row = factories.LeverWebhookFactory(organization=organization, signature_token="")
    use(new, old)
    assert rotate_secrets() == Rotation()
    assert stored(row, "signature_token") == ""


def test_a_token_that_is_refreshed_meanwhile_is_not_overwritten(organization, keys, monkeypatch):
    """Lever's refresh token is used up when it is exchanged: the old one written back would end the grant."""
    old, new, use = keys
    row = factories.LeverConnectionFactory(organization=organization)
    use(new, old)
    inner, happened = renewed, list[bool]()

    def refreshed_in_between(ciphertext: str, *, context: str) -> str:
        if not happened:
            happened.append(True)
            use(old, new)  # by a process that was started before the new key came first
            LeverConnection.objects.get(pk=row.pk).rotate(
                {"access_token": "access-2", "refresh_token": "refresh-2"}
            )
            use(new, old)
        return inner(ciphertext, context=context)

    monkeypatch.setattr("integrations.store.encryption.renewed", refreshed_in_between)
    rotation = rotate_secrets()
    assert (rotation.rotated, rotation.unreadable) == (2, [])
    use(new)
    row.refresh_from_db()
    assert (row.access_token, row.refresh_token) == ("access-2", "refresh-2")


def test_what_no_key_opens_is_named_and_kept_while_the_rest_is_rotated(organization, keys):
    old, new, use = keys
    row = factories.LeverConnectionFactory(organization=organization)
    use(Fernet.generate_key().decode())
    lost = factories.LeverWebhookFactory(organization=organization)
    use(new, old)
    before = stored(lost, "signature_token")
    rotation = rotate_secrets()
    assert rotation.rotated == 2
    assert [str(secret) for secret in rotation.unreadable] == [f"LeverWebhook {lost.pk}, signature_token"]
    assert stored(lost, "signature_token") == before
    use(new)
    row.refresh_from_db()
    assert row.refresh_token == "refresh-1"


def test_a_secret_that_changes_at_every_try_is_named_and_not_counted_as_rotated(
    organization, keys, monkeypatch
):
    """It may have been stored by a process with the old key: that key must not be removed yet."""
    old, new, use = keys
    row = factories.LeverWebhookFactory(organization=organization)
    use(new, old)

    def changed_in_between(ciphertext: str, *, context: str) -> str:
        use(old, new)
        LeverWebhook.objects.get(pk=row.pk).save()
        use(new, old)
        return "another"

    monkeypatch.setattr("integrations.store.encryption.renewed", changed_in_between)
    rotation = rotate_secrets()
    assert (rotation.rotated, rotation.unchanged) == (0, 0)
    assert [str(secret) for secret in rotation.changing] == [f"LeverWebhook {row.pk}, signature_token"]
    assert row.signature_token == LeverWebhook.objects.get(pk=row.pk).signature_token
