"""Names and other texts of one line that come from a platform. A line break in one could pose as our own next line."""

import re

#: Control characters, and those that reverse the direction of what follows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """Return the text as one line: every run of white space and control characters is one space, none at the ends."""
    return " ".join(_CONTROL.sub(" ", _DIRECTION.sub("", text)).split())
