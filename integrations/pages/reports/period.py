"""The period of a report: as the address states it, in days of the reader's time zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from integrations.pages.days import midnight, parse_day

DEFAULT_DAYS = 90
#: A longer period would have to read too many rows while somebody waits.
MOST_DAYS = 366
#: The periods that one click chooses, by their days.
PRESETS = {30: "30 days", DEFAULT_DAYS: "90 days", 365: "12 months"}


@dataclass(frozen=True)
class Period:
    """Whole days, the first and the last included."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        """When its first day begins."""
        return midnight(self.first)

    @property
    def ends(self) -> datetime:
        """When its last day is over."""
        return midnight(self.last + timedelta(days=1))

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def months(self) -> list[date]:
        """The first days of its months, the earliest first."""
        months = [self.first.replace(day=1)]
        while (following := (months[-1] + timedelta(days=32)).replace(day=1)) <= self.last:
            months.append(following)
        return months


@dataclass(frozen=True)
class AskedPeriod:
    """The period that an address asks for, and why it is another one than it states; empty when it isn't."""

    period: Period
    correction: str = ""


def asked_period(parameters: Mapping[str, str]) -> AskedPeriod:
    """Return the period from `since` to `until`, without them the last DEFAULT_DAYS days.

    A day that can't be read counts as not stated. The period ends today at the latest, and has at most MOST_DAYS days.
    """
    today = timezone.localdate()
    since, until = parse_day(parameters.get("since", "")), parse_day(parameters.get("until", ""))
    last = min(until, today) if until and until > date.min + timedelta(days=MOST_DAYS) else today
    first = since or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        return AskedPeriod(
            Period(last, last), "The first day was after the last: this shows the last day alone."
        )
    longest = last - timedelta(days=MOST_DAYS - 1)
    if first < longest:
        return AskedPeriod(Period(longest, last), f"A report covers at most {MOST_DAYS} days.")
    return AskedPeriod(Period(first, last))
