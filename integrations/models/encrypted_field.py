"""A text column that is encrypted at rest."""

from functools import lru_cache
from typing import TYPE_CHECKING

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


class DecryptionError(ImproperlyConfigured):
    """No key in FIELD_ENCRYPTION_KEYS decrypts a stored value."""


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


class EncryptedTextField(_TextField):
    """Text stored as a Fernet token; an empty string stays empty.

    Refuses every lookup but ``isnull``, because equal texts have different ciphertexts and a lookup
    would silently find nothing. Raises DecryptionError when no key decrypts a value.
    """

    def get_prep_value(self, value: object) -> str | None:
        """Encrypt the value for the database."""
        if value is None or value == "":
            return None if value is None else ""
        return cipher().encrypt(str(value).encode()).decode()

    def from_db_value(
        self, value: str | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> str | None:
        """Decrypt the value from the database."""
        if value is None or value == "":
            return value
        try:
            return cipher().decrypt(value.encode()).decode()
        except InvalidToken as error:
            raise DecryptionError(
                f"{self.model.__name__}.{self.name}: no key in FIELD_ENCRYPTION_KEYS opens the stored value. "
                "Put the key it was written with back into the list."
            ) from error

    def get_lookup(self, lookup_name: str) -> type[IsNull]:
        """Allow ``isnull`` alone."""
        if lookup_name == "isnull":
            return IsNull
        raise FieldError(f"{self.name} is encrypted: it can't be looked up by {lookup_name}.")


def encrypted_fields() -> list[EncryptedTextField]:
    """Return every column of the portal that is encrypted."""
    return [
        field
        for model in apps.get_app_config("integrations").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, EncryptedTextField)
    ]
