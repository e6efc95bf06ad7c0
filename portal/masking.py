"""Masks what looks like a secret or an address of a person in any text: log lines and tracebacks.

It knows neither where the text comes from nor which secrets there are. Decoded JSON is redacted by the names of its
fields in `integrations.http.redaction`; the secrets of one request are removed from its answer, whatever they look
like, by `integrations.http.secret_mask`.
"""

import re

MASK = "…"

_SECRET_NAME = (
    r"(?:[\w-]*(?:token|secret|password|passwd|signature|api_?-?key|sessionid)"
    r"|authorization|cookie|code|state)"
)
#: What is replaced, and by what. A text is masked by all of them in turn; masking it again changes nothing.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # addresses that grant access without a sign-in
    (
        re.compile(
            r"(/(?:webhooks/lever|webhooks/codescreen|unsubscribe|invite/[^/\s]+|password/choose/[^/\s]+)/)[^/\s\"'?]+"
        ),
        rf"\1{MASK}",
    ),
    # any other part of an address that looks like a random key; UUIDs are ids
    (
        re.compile(
            r"(?<=/)(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)(?=[\w:=~-]*\d)[\w:=~-]{20,}(?=[/\s\"'?.,)]|$)"
        ),
        MASK,
    ),
    # query strings: OAuth's code and state, searches for people
    (re.compile(r"(?<=[\w/…\-\]])\?[\w.~%\[\]+-]+=[^\s\"'<>)]*"), f"?{MASK}"),
    # user and password in the address of a database, a mail server or Sentry
    (re.compile(r"(?<=://)[^\s/@\"']+@"), f"{MASK}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=:-]+", re.IGNORECASE), rf"\1 {MASK}"),
    # name and value, as in forms, headers, JSON and Python's dictionaries
    (
        re.compile(
            rf"(?<![\w-])({_SECRET_NAME}[\"']?\s*(?:=|:)\s*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&\"'(){{}}\[\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    # starts at a word's beginning and is possessive: else matching a long text without spaces takes quadratic time
    (
        re.compile(r"""(?<![^\s@"'<>“”(),;:=/&?])[^\s@"'<>“”(),;:=/&?…]++(?:@|%40)[^\s@"'<>“”(),;:/&?]++"""),
        MASK,
    ),
)


def mask(text: str) -> str:
    """Return the text without keys in addresses, query strings, named secrets and e-mail addresses."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
