"""JSON from and to the outside: objects, numbers, and texts of one line."""

import re
from decimal import Decimal
from typing import Any

#: A JSON object from outside: only the code that decodes it into a dataclass looks inside.
JsonObject = dict[str, Any]

#: Control characters, and those that reverse the direction of what follows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def number(value: Decimal | None) -> int | float | None:
    """Return a number for JSON, without a fraction where it has none."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def one_line(text: str) -> str:
    """Return the text as one line: every run of white space and control characters is one space, none at the ends.

    A line break in a name that comes from a platform could pose as our own next line.
    """
    return " ".join(_CONTROL.sub(" ", _DIRECTION.sub("", text)).split())
