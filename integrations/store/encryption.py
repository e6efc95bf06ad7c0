"""Encryption of secrets, each for the place where it is kept: what was moved to another place can't be opened there."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CannotDecrypt(Exception):
    """No key in FIELD_ENCRYPTION_KEYS opens the ciphertext in this context."""

    def __init__(self, context: str) -> None:
        super().__init__(
            f"No key in FIELD_ENCRYPTION_KEYS opens the secret as {context}: its key is missing, or it was moved here."
        )


class UnreadableSecret(str):
    """Stands for a stored secret that no key in FIELD_ENCRYPTION_KEYS opens where it is.

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


@lru_cache(maxsize=2000)
def _cipher(key: str, context: str) -> Fernet:
    """Return the cipher of one key for one context, with a key of its own derived from both."""
    Fernet(key)  # refuses what is no key
    derived = HKDF(SHA256(), 32, salt=None, info=context.encode()).derive(urlsafe_b64decode(key))
    return Fernet(urlsafe_b64encode(derived))


def _ciphers(context: str) -> MultiFernet:
    if not settings.FIELD_ENCRYPTION_KEYS:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty: set at least one Fernet key.")
    return MultiFernet([_cipher(key, context) for key in settings.FIELD_ENCRYPTION_KEYS])


def encrypt(text: str, *, context: str) -> str:
    """Return the text encrypted with the first of FIELD_ENCRYPTION_KEYS; only the same context opens it.

    `context` says where the secret is kept and whose it is. One that names a purpose alone lets a ciphertext be moved
    between all secrets of that purpose. Raises ImproperlyConfigured when no key is set.
    """
    return _ciphers(context).encrypt(text.encode()).decode()


def decrypt(ciphertext: str, *, context: str) -> str:
    """Return the text that was encrypted in this context. Raises CannotDecrypt where no key opens it so."""
    try:
        return _ciphers(context).decrypt(ciphertext.encode()).decode()
    except (InvalidToken, UnicodeError) as error:
        raise CannotDecrypt(context) from error


def renewed(ciphertext: str, *, context: str) -> str:
    """Return the same secret under the first key; the same ciphertext where it is already. Raises CannotDecrypt."""
    text = decrypt(ciphertext, context=context)
    try:
        _cipher(settings.FIELD_ENCRYPTION_KEYS[0], context).decrypt(ciphertext.encode())
    except InvalidToken:
        return encrypt(text, context=context)
    return ciphertext


def opened(ciphertext: str, *, context: str) -> str:
    """Return the secret, or an UnreadableSecret where no key opens it in this context."""
    try:
        return decrypt(ciphertext, context=context)
    except CannotDecrypt:
        return UnreadableSecret(ciphertext)
