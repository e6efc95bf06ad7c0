"""The seal of a chain's head: who can write the database alone can't make one, as the key isn't in it."""

import hmac
from collections.abc import Sequence

from django.conf import settings
from django.utils.crypto import salted_hmac

_SALT = "integrations.chain.head"


def seal(chain: int, position: int, row_hash: str) -> str:
    """Return the seal of a head, 64 characters, by a key that is derived from the first of FIELD_ENCRYPTION_KEYS."""
    return _seal(settings.FIELD_ENCRYPTION_KEYS[0], chain, position, row_hash)


def fits(stored: str, chain: int, position: int, row_hash: str, keys: Sequence[str] | None = None) -> bool:
    """Whether one of the keys, of FIELD_ENCRYPTION_KEYS if none are given, made this seal of the head."""
    known = settings.FIELD_ENCRYPTION_KEYS if keys is None else keys
    return any(hmac.compare_digest(stored, _seal(key, chain, position, row_hash)) for key in known)


def _seal(key: str, chain: int, position: int, row_hash: str) -> str:
    return salted_hmac(_SALT, f"{chain}:{position}:{row_hash}", secret=key, algorithm="sha256").hexdigest()
