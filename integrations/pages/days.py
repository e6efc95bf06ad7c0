"""Days in the reader's time zone, as addresses and forms state them, and durations as figures and charts show them."""

from datetime import date, datetime, time, timedelta

from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date


def parse_day(text: str) -> date | None:
    """Return the day that the text states as year-month-day; None when it states none."""
    try:
        return parse_date(text.strip())
    except ValueError:
        return None


def midnight(day: date) -> datetime:
    """Return when a day begins in the reader's time zone."""
    return datetime.combine(day, time.min, timezone.get_current_timezone())


def of_days[Rows: QuerySet[Model]](rows: Rows, column: str, since: str, until: str) -> Rows:
    """Return the rows from the first to the last day, both included; a day that can't be read filters nothing."""
    if first := parse_day(since):
        rows = rows.filter(**{f"{column}__gte": midnight(first)})
    if (last := parse_day(until)) and last < date.max:
        rows = rows.filter(**{f"{column}__lt": midnight(last + timedelta(days=1))})
    return rows


def duration(seconds: float) -> str:
    """Return a duration in the largest unit that suits it, such as “10 min”."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86400:.0f} days"
