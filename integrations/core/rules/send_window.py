"""When invitations may be sent: hours, weekdays and holidays, in somebody's time zone."""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

#: As files and forms write the days of the week.
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ONE_DAY, ONE_MINUTE = timedelta(days=1), timedelta(minutes=1)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of all zones. A name from outside is looked up here, never as a file."""
    return frozenset(zoneinfo.available_timezones()) - {"Factory", "localtime", "posixrules"}


def zone_of(*names: str) -> ZoneInfo:
    """Return the first of the zones that there is, else UTC."""
    return ZoneInfo(next((name for name in names if name in zone_names()), "UTC"))


@dataclass(frozen=True)
class SendWindow:
    """The hours of some days. Where it closes at or before the hour at which it opens, that is on the next day.

    `days` are those on which it opens, Monday is 0. On a holiday nothing is sent at all.
    """

    opens: time
    closes: time
    days: frozenset[int]
    holidays: frozenset[date] = frozenset()

    def opening(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Return the first moment from now on at which it is open, which is now where it is open already.

        Raises ValueError for a window without days.
        """
        today = now.astimezone(zone).date()
        # one day of each week is enough, and each holiday takes at most one away
        for ahead in range(-1, 7 * (len(self.holidays) + 3)):
            begins, ends = self._hours(today + ahead * ONE_DAY, zone)
            if max(now, begins) < ends:
                return max(now, begins)
        raise ValueError("the window has no days")

    def _hours(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return from when until when the window that opens on this day is open; the same moment twice for never."""
        begins, next_day = _moment(day, self.opens, zone), day + ONE_DAY
        if day.weekday() not in self.days or day in self.holidays:
            return begins, begins
        if self.opens < self.closes:
            return begins, _moment(day, self.closes, zone)
        return begins, _moment(next_day, time.min if next_day in self.holidays else self.closes, zone)


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return when the clocks of the zone first show this; where they skip it, the first moment after that."""
    local = datetime.combine(day, clock, zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    skipped = local.replace(fold=1).astimezone(
        UTC
    )  # before the clocks are changed, and `moment` is after that
    while skipped.astimezone(zone).utcoffset() != moment.astimezone(zone).utcoffset():
        skipped += ONE_MINUTE
    return skipped


def in_words(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return a moment to come as people say it, with the zone; with the date where the weekday alone isn't clear."""
    local = moment.astimezone(zone)
    is_this_week = local.date() - now.astimezone(zone).date() < timedelta(days=7)
    return f"{local:%A %H:%M} ({zone.key})" if is_this_week else with_date(moment, zone)


def with_date(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment with its date and the zone, for a text that is read at any time."""
    return f"{moment.astimezone(zone):%A %-d %B, %H:%M} ({zone.key})"
