"""Days in the reader's time zone, as addresses and forms state them."""

from datetime import date, datetime, time

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
