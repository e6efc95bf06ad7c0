"""Digests of user names as they are typed: what was typed may be a password, and is stored nowhere."""

import unicodedata

from integrations.models.attempt_limit import keyed_digest


def name_digest(username: str) -> str:
    """Return the digest of a user name, the same for names that look alike, under the portal's secret key."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    return keyed_digest(f"name:{folded}")
