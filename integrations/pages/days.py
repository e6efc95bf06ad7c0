"""Days in the reader's time zone, as addresses and forms state them."""

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
