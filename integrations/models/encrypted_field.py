"""A text column that is encrypted at rest."""

from functools import lru_cache
from typing import TYPE_CHECKING, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression
from django.db.models.lookups import IsNull

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField  # can't be subscripted when run


class UnreadableSecret(str):
    """Stands for a stored secret that no key in FIELD_ENCRYPTION_KEYS opens.

    As a text it is empty: there is no secret to use. It equals no text, so that
    entering or removing the secret counts as a change. Stored again, it leaves what is in the database as it is.
    """

    __slots__ = ("ciphertext",)
    ciphertext: str

    def __new__(cls, ciphertext: str) -> Self:
        """Keep the ciphertext beside an empty text."""
        secret = super().__new__(cls, "")
        secret.ciphertext = ciphertext
        return secret

    def __getnewargs__(self) -> tuple[str]:
        """Return what a copy is made from."""
        return (self.ciphertext,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnreadableSecret) and other.ciphertext == self.ciphertext

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.ciphertext)

    def __repr__(self) -> str:
        return "<unreadable secret>"


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """Return the cipher of FIELD_ENCRYPTION_KEYS: the first key encrypts, every key decrypts.

    Raises ImproperlyConfigured when no key is set.
    """
    keys = tuple(settings.FIELD_ENCRYPTION_KEYS)
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty: set at least one Fernet key.")
    return _cipher(keys)


def opened(ciphertext: str) -> str:
    """Return the secret in a ciphertext, or an UnreadableSecret when no key opens it."""
    try:
        return cipher().decrypt(ciphertext.encode()).decode()
    except (InvalidToken, UnicodeError):
        return UnreadableSecret(ciphertext)


class EncryptedTextField(_TextField):
    """Text stored as a Fernet token; an empty string stays empty. Reads an UnreadableSecret when no key opens it.

    Refuses every lookup but ``isnull``, because equal texts have different ciphertexts and a lookup
    would silently find nothing.
    """

    def get_prep_value(self, value: object) -> str | None:
        """Encrypt the value for the database; one that couldn't be read is stored as it was."""
        if isinstance(value, UnreadableSecret):
            return value.ciphertext
        if value is None or value == "":
            return None if value is None else ""
        return cipher().encrypt(str(value).encode()).decode()

    def from_db_value(
        self, value: str | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> str | None:
        """Decrypt the value from the database."""
        return opened(value) if value else value

    def get_lookup(self, lookup_name: str) -> type[IsNull]:
        """Allow ``isnull`` alone."""
        if lookup_name == "isnull":
            return IsNull
        raise FieldError(f"{self.name} is encrypted: it can't be looked up by {lookup_name}.")


def encrypted_fields() -> list[EncryptedTextField]:
    """Return every encrypted column, of all apps."""
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField)
    ]
