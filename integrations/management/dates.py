"""Dates and times as commands take them."""

from datetime import UTC, datetime, time

from django.core.management import CommandError
from django.utils.dateparse import parse_date, parse_datetime


def moment(option: str, text: str) -> datetime:
    """Return the time that an option names, a date's beginning; in UTC without an offset. Raises CommandError."""
    try:
        found = parse_datetime(text)
        if found is None:
            day = parse_date(text)
            found = datetime.combine(day, time.min) if day else None
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{option} {text!r} is no date: write 2027-01-31 or 2027-01-31T08:00:00+00:00.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)
