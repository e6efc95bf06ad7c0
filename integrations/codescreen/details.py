"""What CodeScreen's `metadata` says of a result beyond what the portal reads by name: within bounds, and readable.

The values go into Lever's feedback, which Lever keeps when it anonymizes a person. So a text with an address or the
candidate's name is left out before anything is stored.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from integrations.codescreen.client import TITLES
from integrations.codescreen.payloads import MetadataKey, time_in
from integrations.core.vocabulary import FAILURE_REASONS
from integrations.http.json_values import JsonObject, one_line

MOST_KEYS, LONGEST_KEY, LONGEST_TEXT = 40, 100, 300
#: Of a longer text only this much is looked at.
LONGEST_READ = 4000
#: Larger numbers are kept as texts.
LARGEST_NUMBER = 10**15
NONE, MORE = "none", "…"
LEFT_OUT = "left out: personal"

_ADDRESS = r"[\w.+-]+(?:@|%40)(?:[\w-]+\.)+[^\W\d_]{2,}"
#: The first letter of the scripts that put no spaces between words.
_UNSPACED = "⺀"


def details_in(metadata: Mapping[str, object], name: str = "", address: str = "") -> JsonObject:
    """Return what `metadata` has beyond the known keys, in its order, within bounds, without the candidate's name."""
    personal = _personal(name, address)
    others = ((key, value) for key, value in metadata.items() if key not in MetadataKey)
    return {
        _text(key, LONGEST_KEY, personal): _kept(value, personal) for key, value in islice(others, MOST_KEYS)
    }


def screened_reason(reason: str, name: str = "", address: str = "") -> str:
    """Return why an assessment wasn't passed, without the candidate's name, as details are."""
    return reason if reason in FAILURE_REASONS else _text(reason, LONGEST_TEXT, _personal(name, address))


def detail_lines(details: JsonObject) -> list[tuple[str, str]]:
    """Return each key with its value in words, in order."""
    return [(key, readable(value)) for key, value in details.items()]


#: What a detail is, in words, and its value or the time that it is.
type Detail = tuple[str, str, datetime | None]

#: What pages leave out: it says when CodeScreen wrote the answer.
_NOT_SHOWN = "sentAt"
_NEXT_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def details_in_words(details: JsonObject) -> list[Detail]:
    """Return each detail as pages show it, in order."""
    shown = ((_in_words(key), value) for key, value in detail_lines(details) if key != _NOT_SHOWN)
    return [(words, "" if (at := time_in(value)) else value, at) for words, value in shown]


def _in_words(key: str) -> str:
    """Return a key such as unitTestsPassed as words; one that is none of a program's stays as it is."""
    if not (key.isascii() and key.isalnum() and key[0].islower()):
        return key
    words = " ".join(word if word.isupper() else word.lower() for word in _NEXT_WORD.split(key))
    return words[0].upper() + words[1:]


def readable(value: object) -> str:
    """Return a detail in words; a list or an object as JSON."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float() if abs(value) < LARGEST_NUMBER:
            return f"{value:.4f}".rstrip("0").rstrip(".")
        case None | "" | dict() | list() if not value:
            return NONE
        case dict() | list():
            try:
                return json.dumps(value, ensure_ascii=False, allow_nan=False)
            except (RecursionError, ValueError):  # too deep, or no number
                return MORE
    return str(value)


def _kept(value: object, personal: re.Pattern[str]) -> object:
    """Return the value; in words where it is a text, or can't be kept as it is."""
    if value is None or (isinstance(value, (int, float)) and abs(value) < LARGEST_NUMBER):
        return value
    words = readable(value)
    text = _text(words, LONGEST_TEXT, personal)
    return value if isinstance(value, (dict, list)) and text == words != MORE else text


def _text(written: str, longest: int, personal: re.Pattern[str]) -> str:
    text = unicodedata.normalize("NFC", one_line(written[:LONGEST_READ]))
    if personal.search(text):
        return LEFT_OUT
    return text if len(text) <= longest else text[: longest - 1] + MORE


def _personal(name: str, address: str) -> re.Pattern[str]:
    """Return what finds an e-mail address, the candidate's name however it is joined, or a word of it.

    Case counts in a single word where the name has a capital: “Max” is a name, “max” is not.
    """
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", name))
    words = [word for word in words if word.casefold() not in TITLES]
    parts = [f"(?i:{_ADDRESS})"]
    if address:
        parts.append(f"(?i:{re.escape(address)})")
    if len(words) > 1:
        parts.append(f"(?i:{r'[\W_]*'.join(words)})")
    for word in words:
        if word >= _UNSPACED and len(word) > 1:
            parts.append(word)
        elif len(word) > 2:
            forms = "|".join({word, word.capitalize(), word.upper()})
            parts.append(rf"(?<![^\W\d_])(?:{forms})(?![^\W\d_])")
    return re.compile("|".join(parts))
