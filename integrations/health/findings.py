"""What the doctor and the mapping linter find: a problem, or what is worth knowing, its fix, and the page for that."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from integrations.core.act import Act
from integrations.core.finding_code import FindingCode, Level, Page


@dataclass(frozen=True)
class Finding:
    """One thing a person should know about an organization.

    `message` says what is wrong, `fix` what to do about it, `page` where in the portal. Who may not do that asks for it
    by the act `ask`.
    """

    code: FindingCode
    level: Level
    message: str
    fix: str
    page: Page
    ask: Act | None = None

    @property
    def is_about_setup(self) -> bool:
        """Whether it is about how mappings and tags are set up, and not about what works."""
        return self.code.record.is_about_setup

    @property
    def is_about_candidates(self) -> bool:
        """Whether it is about single candidates, which its page lists; else all candidates depend on it."""
        return self.code.record.is_about_candidates

    @property
    def link_text(self) -> str:
        """What a link to the page says."""
        return self.code.record.link or self.page.text


def finding(
    code: FindingCode, message: str, fix: str, *, level: Level | None = None, page: Page | None = None
) -> Finding:
    """Return a finding, with the level and the page of its code unless others are given."""
    return Finding(code, level or code.record.level, message, fix, page or code.record.page)


# Numbers, lists, days and spans of time in the words of a finding.


MOST_NAMED = 10  # how many things one sentence names before it only counts the rest


def listed(names: Iterable[object]) -> str:
    """Return names for a sentence: the first few, and how many more."""
    words = [str(name) for name in names]
    more = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    return ", ".join(words[:MOST_NAMED]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs one."""
    if number == 1:
        return f"1 {noun}"
    is_like_entry = noun.endswith("y") and noun[-2] not in "aeiou"
    return f"{number} {noun[:-1]}ies" if is_like_entry else f"{number} {noun}s"


def day(moment: datetime) -> str:
    """Return the day of a moment, in the reader's time zone on a page and in UTC on a terminal."""
    return f"{timezone.localtime(moment):%-d %B %Y}"


def lasting(seconds: float) -> str:
    """Return a span of time in one unit, rounded down."""
    for size, noun in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size * 2:
            return counted(int(seconds // size), noun)
    return counted(int(seconds), "second")
