"""A secret opens where it was encrypted alone: not in another row, column or table, nor for another purpose."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured

from integrations.codescreen.models import CodeScreenConnection
from integrations.health.doctor import findings
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.store.encryption import (
    CannotDecrypt,
    UnreadableSecret,
    decrypt,
    encrypt,
    renewed,
    rotate_secrets,
    sealed,
)
from tests.store.test_encryption_field import put, stored
from tests.support import factories


@pytest.fixture
def places(organization):
    """Rows with secrets: two organizations' connections, and two webhooks of one of them."""
    other = factories.OrganizationFactory(name="Globex")
    return {
        "lever": factories.LeverConnectionFactory(organization=organization),
        "codescreen": factories.CodeScreenConnectionFactory(organization=organization),
        "others": factories.CodeScreenConnectionFactory(organization=other, api_key="another"),
        "webhook": factories.LeverWebhookFactory(organization=organization),
        "retired": factories.LeverWebhookFactory(
            organization=organization, retired_at=organization.created_at
        ),
        "organization": organization,
    }


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (("codescreen", "api_key"), ("others", "api_key")),
        (("codescreen", "api_key"), ("codescreen", "webhook_secret")),
        (("lever", "refresh_token"), ("lever", "access_token")),
        (("codescreen", "api_key"), ("lever", "access_token")),
        (("lever", "access_token"), ("organization", "chat_url")),
        (("retired", "signature_token"), ("webhook", "signature_token")),
        (("webhook", "signature_token"), ("webhook", "previous_signature_token")),
    ],
)
def test_a_secret_is_refused_when_it_was_moved(places, source, target):
    row, column = places[target[0]], target[1]
    moved = stored(places[source[0]], source[1])
    put(row, column, moved)
    row.refresh_from_db()
    assert getattr(row, column) == UnreadableSecret(moved)
    assert [str(secret) for secret in rotate_secrets().unreadable] == [
        f"{type(row).__name__} {row.pk}, {column}"
    ]
    assert stored(row, column) == moved


def test_the_doctor_names_a_secret_that_was_moved(places, organization):
    put(places["codescreen"], "api_key", stored(places["others"], "api_key"))
    [finding] = [one for one in findings(organization) if one.code == "unreadable_secret"]
    assert "api key of CodeScreen connection" in finding.message
    assert "was moved" in finding.message
    assert "access token" not in finding.message


def test_every_way_to_store_a_row_binds_its_secrets(organization):
    connections = [
        CodeScreenConnection(organization=factories.OrganizationFactory(name=name), api_key=name)
        for name in ("Globex", "Initech")
    ]
    CodeScreenConnection.objects.bulk_create(connections)
    webhook, _ = LeverWebhook.objects.update_or_create(
        organization=organization, defaults={"signature_token": "t-1"}
    )
    LeverWebhook.objects.filter(pk=webhook.pk).update(**sealed(webhook, previous_signature_token="t-0"))
    Organization.objects.filter(pk=organization.pk).update(**sealed(organization, chat_url=""))
    for row in CodeScreenConnection.objects.select_related("organization"):
        assert row.api_key == row.organization.name
    webhook = LeverWebhook.objects.defer("signature_token").get()
    assert (webhook.signature_token, webhook.previous_signature_token) == ("t-1", "t-0")
    assert rotate_secrets().unchanged == 4


def test_a_text_is_refused_when_no_row_is_known(organization):
    row = factories.CodeScreenConnectionFactory(organization=organization)
    row.api_key = "next"
    with pytest.raises(FieldError, match="save"):
        CodeScreenConnection.objects.update(api_key="next")
    with pytest.raises(FieldError, match="save"):
        CodeScreenConnection.objects.bulk_update([row], ["api_key"])
    with pytest.raises(FieldError, match="id must be set"):
        Organization.objects.create(name="Globex", slug="globex", chat_url="https://hooks.example/1")


def test_a_text_opens_in_its_own_context_alone():
    ciphertext = encrypt("JBSWY3DP", context="totp:1")
    assert decrypt(ciphertext, context="totp:1") == "JBSWY3DP"
    for context in ("totp:2", "totp", ""):
        with pytest.raises(CannotDecrypt, match="was moved here"):
            decrypt(ciphertext, context=context)


def test_a_text_is_renewed_under_the_first_key_and_no_plain_key_opens_it(settings):
    old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    ciphertext = encrypt("secret", context="purpose")
    assert renewed(ciphertext, context="purpose") == ciphertext
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    ciphertext = renewed(ciphertext, context="purpose")
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert decrypt(ciphertext, context="purpose") == "secret"
    with pytest.raises(CannotDecrypt):
        decrypt(Fernet(new).encrypt(b"secret").decode(), context="purpose")


def test_nothing_is_encrypted_when_there_is_no_key(settings):
    settings.FIELD_ENCRYPTION_KEYS = []
    with pytest.raises(ImproperlyConfigured):
        encrypt("secret", context="purpose")
