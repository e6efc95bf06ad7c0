"""A stored secret that no key opens: its row can be read and saved, and the secret stays what it was."""

import copy
import pickle

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import override_settings

from integrations.audit.models.entry import masked
from integrations.lever.models.connection import LeverConnection
from integrations.store.encryption import UnreadableSecret
from tests.support import factories


def other_keys():
    """Return settings under which nothing stored before can be read."""
    return override_settings(FIELD_ENCRYPTION_KEYS=[Fernet.generate_key().decode()])


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
    with other_keys():
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


def test_the_audit_says_that_the_value_before_could_not_be_read():
    assert masked({"api_key": (UnreadableSecret("x"), "new")}) == {"api_key": ["unreadable", "set"]}
