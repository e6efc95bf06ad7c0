"""Redact personal data and secrets in what is stored and shown of a body or a message."""

import re
from collections.abc import Mapping

_PERSONAL = re.compile(
    r"(e-?mails?|first_?name|last_?name|name|phones?|headline|location|links?|text|value|company)$",
    re.IGNORECASE,
)
# a webhook's own `url` holds the unguessable key of the organization
_SECRET = re.compile(r"(token|secret|password|signature|api_?key|authorization|code|^url)$", re.IGNORECASE)
# starts at a word's beginning and is possessive: else matching a long text without spaces takes quadratic time
_ADDRESS = re.compile(r"""(?<![^\s@"'<>“”(),;:])[^\s@"'<>“”(),;:]++@[^\s@"'<>“”(),;:]++""")


def redact(value: object, key: str = "") -> object:
    """Return a copy of decoded JSON without personal data and secrets, keeping its shape."""
    if isinstance(value, Mapping):
        return {name: redact(item, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [redact(item, key) for item in value]
    if value in (None, "", True, False):
        return value
    if key and (_SECRET.search(key) or _PERSONAL.search(key)):
        return "[redacted]"
    return without_addresses(value) if isinstance(value, str) else value


def without_addresses(text: str) -> str:
    """Return a text without e-mail addresses, which an error message may quote."""
    return _ADDRESS.sub("[redacted]", text)
