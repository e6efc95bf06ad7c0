"""What CodeScreen's `metadata` says of a result beyond what the portal reads by name: within bounds, and readable.

The values go into Lever's feedback, which Lever keeps when it anonymizes a person. So a text with an address or the
candidate's name is left out before anything is stored.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import islice

from integrations.codescreen.client import TITLES
from integrations.codescreen.payloads import MetadataKey
from integrations.http.json_values import JsonObject, one_line

MOST_KEYS, LONGEST_KEY, LONGEST_TEXT, DEEPEST = 40, 100, 300, 4
#: Of a longer text only this much is looked at.
LONGEST_READ = 4000
MOST_DIGITS = 40
MORE = "…"
NONE, UNNAMED = "none", "unnamed"
LEFT_OUT = "left out: personal"

_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)(?:[\w-]+\.)+[^\W\d_]{2,}", re.IGNORECASE)
#: Scripts that put no spaces between words.
_UNSPACED = re.compile(r"[\u2e80-\ud7ff]")
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = r"(?<![^\W\d_])", r"(?![^\W\d_])"


@dataclass(frozen=True)
class Person:
    """The candidate that the details are about; texts that name them are left out."""

    name: str = ""
    address: str = ""

    def is_named(self, text: str) -> bool:
        """Whether a text has an e-mail address, the name however it is joined, or a word of the name."""
        text = unicodedata.normalize("NFC", text)
        if _ADDRESS.search(text) or (self.address and self.address.casefold() in text.casefold()):
            return True
        return any(pattern.search(text) for pattern in self._patterns)

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(self._look())

    def _look(self) -> Iterator[re.Pattern[str]]:
        """Yield what the name looks like.

        Case counts in a single word where the name has a capital: “Max” is a name, “max” is not. Applicants
        also write their names in small letters or in capitals alone.
        """
        words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", self.name))
        words = [word for word in words if word.casefold() not in TITLES]
        if len(words) > 1:
            joined = r"[\W_]*".join(words)
            yield re.compile(f"{_NO_LETTER_BEFORE}{joined}{_NO_LETTER_AFTER}", re.IGNORECASE)
        for word in words:
            if _UNSPACED.search(word) and len(word) > 1:
                yield re.compile(word)
            elif len(word) > 2:
                forms = "|".join({word, word.capitalize(), word.upper()})
                yield re.compile(f"{_NO_LETTER_BEFORE}(?:{forms}){_NO_LETTER_AFTER}")


def details_in(metadata: Mapping[str, object], person: Person) -> JsonObject:
    """Return what `metadata` has beyond the known keys, in its order, within bounds and without the person's name.

    Where there are more keys than are kept, the last one says how many.
    """
    others = [(key, value) for key, value in metadata.items() if key not in MetadataKey]
    details: JsonObject = {}
    for key, value in others[:MOST_KEYS]:
        name = _text(key, LONGEST_KEY, person) or UNNAMED
        details[name if name not in details else f"{name} ({len(details) + 1})"] = _detail(value, person)
    if len(others) > MOST_KEYS:
        details[MORE] = f"{len(others) - MOST_KEYS} more"
    return details


def detail_lines(details: JsonObject) -> list[tuple[str, str]]:
    """Return each key with its value in words, in order."""
    return [(key, readable(value)) for key, value in details.items()]


def readable(value: object) -> str:
    """Return a detail in words: what is in a list or an object with commas, one inside another in parentheses."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            is_plain = 0.0001 <= abs(value) < 10**15 or value == 0
            return f"{value:.4f}".rstrip("0").rstrip(".") if is_plain else f"{value:g}"
        case dict() if value:
            return ", ".join(f"{key}: {_inner(item)}" for key, item in value.items())
        case list() if value:
            return ", ".join(map(_inner, value))
        case None | "" | dict() | list():
            return NONE
    return str(value)


def _inner(value: object) -> str:
    text = readable(value)
    return f"({text})" if isinstance(value, (dict, list)) and value else text


def _detail(value: object, person: Person) -> object:
    """Return one value; a list or an object whose words are too long is kept as these words, cut.

    So no more of its items matter than a text may have characters.
    """
    kept = _bounded(value, person, DEEPEST)
    text = readable(kept)
    return _cut(text, LONGEST_TEXT) if len(text) > LONGEST_TEXT else kept


def _bounded(value: object, person: Person, levels: int) -> object:
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) < 10**MOST_DIGITS else f"{Decimal(value):.6e}"
        case float():
            return value if math.isfinite(value) else str(value)
        case dict() | list() if not levels:
            return MORE if value else value
        case dict():
            return {
                _text(key, LONGEST_KEY, person): _bounded(item, person, levels - 1)
                for key, item in islice(value.items(), LONGEST_TEXT)
            }
        case list():
            return [_bounded(item, person, levels - 1) for item in value[:LONGEST_TEXT]]
    return _text(str(value), LONGEST_TEXT, person)


def _text(written: str, longest: int, person: Person) -> str:
    text = one_line(written[:LONGEST_READ])
    return LEFT_OUT if person.is_named(text) else _cut(text, longest)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + MORE
