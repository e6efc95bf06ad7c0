"""Digests of user names as they are typed: what was typed may be a password, and is stored nowhere."""

import unicodedata

from django.utils.crypto import salted_hmac


def name_digest(username: str) -> str:
    """Return the digest of a user name, the same for names that look alike, under the portal's secret key."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    return keyed_digest(f"name:{folded}")


def keyed_digest(text: str) -> str:
    """Return a digest of the text, 64 characters, that nobody without the portal's secret key can try texts against."""
    return salted_hmac("portal.sign-in", text, algorithm="sha256").hexdigest()
