"""Numbers, lists, days and spans of time in the words of a finding."""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

MOST_NAMED = 10  # how many things one sentence names before it only counts the rest


def listed(names: Iterable[object], total: int | None = None) -> str:
    """Return names for a sentence: the first few, and how many more.

    `total` is how many there are in all, where `names` are only the first of them.
    """
    words = [str(name) for name in names]
    total = len(words) if total is None else total
    more = f" and {total - MOST_NAMED} more" if total > MOST_NAMED else ""
    return ", ".join(words[:MOST_NAMED]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs one."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def day(moment: datetime) -> str:
    """Return the day of a moment, in the reader's time zone on a page and in UTC on a terminal."""
    return f"{timezone.localtime(moment):%-d %B %Y}"


def lasting(seconds: float) -> str:
    """Return a span of time in one unit, rounded down."""
    for size, noun in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size * 2:
            return counted(int(seconds // size), noun)
    return counted(int(seconds), "second")
