"""Remove personal data and secrets from what is stored and shown of a call."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from urllib.parse import quote

# Redacts personal data and secrets in what is stored and shown of a body, by the names of its fields.
#
# Before that, SecretMask has removed from the answer all secrets that its request carried.


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
#: A candidate's answers to an employer's own questions, which may be about health: not even their shape is kept.
_ANSWERS = "customQuestions"
#: The fields of an authorization server's answer that hold no token; every other field may hold one.
_NO_TOKENS = frozenset({"token_type", "expires_in", "scope", "error", "error_description"})
# starts at a word's beginning and is possessive: else matching a long text without spaces takes quadratic time
_ADDRESS = re.compile(r"""(?<![^\s@"'<>“”(),;:])[^\s@"'<>“”(),;:]++@[^\s@"'<>“”(),;:]++""")


def redact(value: object, key: str = "") -> object:
    """Return a copy of decoded JSON without personal data and secrets, keeping its shape."""
    if key == _ANSWERS and value:
        return "[redacted]"
    if isinstance(value, dict):
        return {name: redact(item, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [redact(item, key) for item in value]
    if value in (None, "", True, False):
        return value
    if key and (_SECRET.search(key) or _PERSONAL.search(key)):
        return "[redacted]"
    return without_addresses(value) if isinstance(value, str) else value


def redact_tokens(value: object, key: str = "") -> object:
    """Return a copy of a token answer in which every text is removed that may be a token."""
    if isinstance(value, dict):
        return {name: redact_tokens(item, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [redact_tokens(item) for item in value]
    if isinstance(value, str) and value and key not in _NO_TOKENS:
        return "[redacted]"
    return value


def with_texts(value: object, change: Callable[[str], str]) -> object:
    """Return decoded JSON whose names and texts are changed by a function."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(str(name)): with_texts(item, change) for name, item in value.items()}
    if isinstance(value, list):
        return [with_texts(item, change) for item in value]
    return value


def without_addresses(text: str) -> str:
    """Return a text without e-mail addresses, which an error message may quote."""
    return _ADDRESS.sub("[redacted]", text)


# Removes from a platform's answer the secrets that the request carried.
#
# A platform, or a proxy in front of it, may repeat a header or a form in its error. What it repeats may be a part,
# and may be encoded.


MASKED = "[redacted]"
#: A run of this many characters that also stands in a secret is removed; shorter ones occur by chance.
SHORTEST_RUN = 10
#: Longer texts are cut: a run is looked for at every place.
LONGEST_TEXT = 20_000
#: How many characters of an encoding stand for one of the secret.
_UNICODE_ESCAPE, _PERCENT, _HEX = 6, 3, 2
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def secrets_of_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the credentials in a request's headers: of Basic authentication, also what is encoded in it."""
    for name, value in headers.items():
        if name.lower() in {"authorization", "proxy-authorization", "cookie"}:
            scheme, _, credentials = value.strip().rpartition(" ")
            yield credentials
            if scheme.lower() == "basic":
                try:
                    yield from base64.b64decode(credentials).decode().split(":", 1)
                except (binascii.Error, UnicodeDecodeError):
                    continue


class SecretMask:
    """Removes every run of characters that also stands in one of the secrets, plain or encoded."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [secret for secret in secrets if secret]

    @cached_property
    def _runs(self) -> dict[int, set[str]]:
        """The runs to remove, by their length."""
        found: dict[int, set[str]] = {}
        for secret in self._secrets:
            for text, width in _spellings(secret):
                length = min(SHORTEST_RUN * width, len(text))
                runs = (text[start : start + length] for start in range(len(text) - length + 1))
                found.setdefault(length, set()).update(runs)
        found.pop(0, None)
        return found

    def may_be_in(self, text: str) -> bool:
        """Whether a text holds the beginning of a secret, plain, quoted or in base64; much quicker than `mask`."""
        lowered = _lowered(text)
        return any(
            beginning[:SHORTEST_RUN] in lowered
            for secret in self._secrets
            for beginning in _plain_spellings(secret[: 2 * SHORTEST_RUN])
            if beginning
        )

    def mask(self, text: str) -> str:
        """Return the text without the secrets; of a very long one only the beginning."""
        text = text[:LONGEST_TEXT]
        lowered = _lowered(text)
        is_secret = bytearray(len(text))
        for length, runs in self._runs.items():
            for start in range(len(text) - length + 1):
                if lowered[start : start + length] in runs:
                    is_secret[start : start + length] = b"\x01" * length
        return _masked(text, is_secret)

    def finds_secret(self, text: str) -> bool:
        return self.mask(text) != text[:LONGEST_TEXT]


def _masked(text: str, is_secret: bytearray) -> str:
    parts: list[str] = []
    start = 0
    while (found := is_secret.find(1, start)) >= 0:
        end = is_secret.find(0, found)
        end = len(text) if end < 0 else end
        parts += [text[start:found], MASKED]
        start = end
    return "".join([*parts, text[start:]])


def _lowered(text: str) -> str:
    """Return a text with A to Z in lower case; every character stays in its place."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _plain_spellings(secret: str) -> set[str]:
    """Return a secret in lower case, as it is, as in addresses, and in base64.

    In base64 a text is written differently after 0, 1 and 2 other bytes: the characters that depend on its
    neighbours are left out.
    """
    raw = secret.encode("utf-8", "replace")
    plain = {secret, quote(secret, safe=""), quote(secret)}
    for skipped in range(3):
        encoded = base64.b64encode(b"\x00" * skipped + raw).decode().rstrip("=")
        core = encoded[(skipped * 8 + 5) // 6 : len(encoded) - 1]
        plain |= {core, core.replace("+", "-").replace("/", "_")}
    return {_lowered(text) for text in plain}


def _spellings(secret: str) -> Iterator[tuple[str, int]]:
    """Yield the ways in which a secret may be written, in lower case, each with its characters per character."""
    for text in _plain_spellings(secret):
        yield text, 1
    raw = secret.encode("utf-8", "replace")
    yield raw.hex(), _HEX
    yield "".join(f"%{byte:02x}" for byte in raw), _PERCENT
    yield "".join(f"\\u{ord(character):04x}" for character in secret), _UNICODE_ESCAPE
