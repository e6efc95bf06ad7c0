"""Unique keys that fit their column."""

import hashlib

DIGEST_LENGTH = 64


def truncated_key(key: str, length: int = 300) -> str:
    """Return the key, or its beginning with a digest when it is too long: keys that were only cut could collide."""
    if len(key) <= length:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: length - DIGEST_LENGTH - 1]}:{digest}"
