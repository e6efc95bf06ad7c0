"""Keys that say what is the same, short enough for their column."""

import hashlib

DIGEST_LENGTH = 64


def truncated_key(key: str, length: int = 300) -> str:
    """Return the key, or its beginning and a digest of the whole when it is longer: cut off, two would be the same."""
    if len(key) <= length:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: length - DIGEST_LENGTH - 1]}:{digest}"
