"""What calls carry: JSON, texts of one line, and files."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# What JSON holds: objects whose content is not known yet, and numbers.


#: A JSON object from outside: only the code that decodes it into a dataclass looks inside.
JsonObject = dict[str, Any]


def number(value: Decimal | None) -> int | float | None:
    """Return a number for JSON, without a fraction where it has none."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


# Names and other texts of one line that come from a platform. A line break in one could pose as our own next line.


#: Control characters, and those that reverse the direction of what follows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """Return the text as one line: every run of white space and control characters is one space, none at the ends."""
    return " ".join(_CONTROL.sub(" ", _DIRECTION.sub("", text)).split())


# A file that a request carries.


@dataclass(frozen=True)
class Upload:
    """A file, sent as the part `file` of a multipart form."""

    name: str
    content: bytes
    content_type: str
