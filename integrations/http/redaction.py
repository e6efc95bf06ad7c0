"""Redacts personal data and secrets in what is stored and shown of a body, by the names of its fields.

The secrets that a request carried are removed from its answer before, wherever they stand: `secret_mask`.
"""

import re
from functools import lru_cache

_PERSONAL = re.compile(
    r"(e-?mails?|first_?name|last_?name|name|candidate|phones?|headline|location|links?|text|value|company)$",
    re.IGNORECASE,
)
# a webhook's own `url` holds the unguessable key of the organization
_SECRET = re.compile(
    r"(tokens?|secrets?|password|passphrase|signature|api_?key|access_?key|private_?key|authorization|credentials?"
    r"|cookies?|jwt|bearer|assertion|code|^url)$",
    re.IGNORECASE,
)
#: What an authorization server's answer may say beside tokens, under any name.
_NO_TOKENS = frozenset({"token_type", "expires_in", "scope", "error", "error_description"})
# starts at a word's beginning and is possessive: else matching a long text without spaces takes quadratic time
_ADDRESS = re.compile(r"""(?<![^\s@"'<>“”(),;:])[^\s@"'<>“”(),;:]++@[^\s@"'<>“”(),;:]++""")


def redact(value: object, key: str = "") -> object:
    """Return a copy of decoded JSON without personal data and secrets, keeping its shape."""
    if isinstance(value, dict):
        return {name: redact(item, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [redact(item, key) for item in value]
    if value in (None, "", True, False):
        return value
    if key and _is_redacted(key):
        return "[redacted]"
    return without_addresses(value) if isinstance(value, str) else value


@lru_cache(maxsize=1000)
def _is_redacted(key: str) -> bool:
    return bool(_SECRET.search(key) or _PERSONAL.search(key))


def redact_tokens(value: object, key: str = "") -> object:
    """Return a copy of a token answer in which every text is removed that may be a token."""
    if isinstance(value, dict):
        return {name: redact_tokens(item, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [redact_tokens(item) for item in value]
    if isinstance(value, str) and value and key not in _NO_TOKENS:
        return "[redacted]"
    return value


def without_addresses(text: str) -> str:
    """Return a text without e-mail addresses, which an error message may quote."""
    return _ADDRESS.sub("[redacted]", text)
