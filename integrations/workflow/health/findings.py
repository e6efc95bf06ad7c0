"""What the doctor and the mapping linter say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

SETTINGS = "/settings/"
LEVELS = ("info", "warning", "error")
FindingRow = tuple[str, str, str, str, str]  # code, level, message, fix, url
MOST_NAMED = 10  # how many things one sentence names before it only counts the rest


@dataclass(frozen=True)
class Finding:
    """One thing a person should know: a stable code, a sentence, what to do about it, and the page to do it on."""

    organization: str
    code: str
    level: str
    message: str
    fix: str
    url: str


def listed(names: Iterable[object]) -> str:
    """Return names as a sentence has them: the first few, and how many more."""
    words = [str(name) for name in names]
    more = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    return ", ".join(words[:MOST_NAMED]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs one."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def day(moment: datetime) -> str:
    """Return the day of a moment for whoever reads it: in their zone on a page, in UTC on a terminal."""
    return f"{timezone.localtime(moment):%-d %B %Y}"


def lasting(seconds: float) -> str:
    """Return a span as people say it, in one unit."""
    for size, noun in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size * 2:
            return counted(int(seconds // size), noun)
    return counted(int(seconds), "second")
