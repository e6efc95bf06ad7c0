"""A secret opens where it was encrypted alone; what no key opens stays what it was; rotating the keys loses none."""

import copy
import pickle

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection
from django.test import override_settings

from integrations.codescreen.models import CodeScreenConnection
from integrations.health.doctor import findings
from integrations.lever.models.connection import LeverConnection
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


# a stored secret that no key opens: its row can be read and saved


def stored(row, column: str) -> str:
    """Return what the database holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {row._meta.db_table} WHERE id = %s", [row.pk])
        return str(cursor.fetchone()[0])


def put(row, column: str, ciphertext: str) -> None:
    """Write into the database as somebody does who has its password alone."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", [ciphertext, row.pk])


def test_an_unreadable_secret_is_an_empty_text_that_equals_no_text():
    secret = UnreadableSecret("gAAAA")
    assert not secret
    assert f"{secret}{secret!r}" == "<unreadable secret>"
    assert secret != ""
    assert secret != "gAAAA"
    assert secret == UnreadableSecret("gAAAA")
    assert secret != UnreadableSecret("gBBBB")
    assert len({secret, UnreadableSecret("gAAAA"), ""}) == 2
    for twin in (copy.deepcopy(secret), copy.copy(secret), pickle.loads(pickle.dumps(secret))):
        assert twin == secret


@pytest.mark.parametrize("ciphertext", ["x", "gAAAAABm", "ünïcode", "{}", "a" * 100_000])
def test_a_row_is_read_when_its_secret_is_garbage(organization, ciphertext):
    row = factories.CodeScreenConnectionFactory(organization=organization)
    put(row, "api_key", ciphertext)
    row.refresh_from_db()
    assert isinstance(row.api_key, UnreadableSecret)
    row.save()
    assert stored(row, "api_key") == ciphertext


def test_saving_a_row_keeps_the_secret_that_could_not_be_read(organization):
    row = factories.LeverConnectionFactory(organization=organization)
    before = stored(row, "access_token"), stored(row, "refresh_token")
    with override_settings(FIELD_ENCRYPTION_KEYS=[Fernet.generate_key().decode()]):
        read = LeverConnection.objects.get(pk=row.pk)
        read.scopes = "offline_access"
        read.full_clean()
        read.save()
        read.save(update_fields=["access_token"])
        LeverConnection.objects.bulk_update([read], ["refresh_token"])
        assert not read.is_working
    assert (stored(row, "access_token"), stored(row, "refresh_token")) == before
    row.refresh_from_db()
    assert (row.access_token, row.scopes, row.is_working) == ("access-1", "offline_access", True)


# every secret is encrypted with the first key, whatever happens meanwhile


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
    lever = factories.LeverConnectionFactory(organization=organization)
    webhook = factories.LeverWebhookFactory(organization=organization)
    webhook.replace_token("next-token")
    factories.CodeScreenConnectionFactory(
        organization=organization, api_key="clé 🔑" * 50, webhook_secret=factories.WEBHOOK_SECRET
    )
    use(new, old)
    rotation = rotate_secrets()
    assert (rotation.rotated, rotation.unchanged, rotation.unreadable) == (6, 0, [])
    use(new)
    lever.refresh_from_db()
    assert lever.access_token == "access-1"
    webhook.refresh_from_db()
    assert (webhook.signature_token, webhook.previous_signature_token) == (
        "next-token",
        factories.SIGNATURE_TOKEN,
    )
    organization.refresh_from_db()
    assert organization.codescreen.api_key == "clé 🔑" * 50
    assert (rotate_secrets().rotated, rotate_secrets().unchanged) == (0, 6)


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
