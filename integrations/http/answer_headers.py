"""What the headers of a platform's answer state about time: when to try again, and the platform's clock."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from django.utils import timezone

LONGEST_RETRY_AFTER = 6 * 3600.0
#: The Date of an answer that took longer is too old to compare the clocks by.
PROMPT_SECONDS = 5.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After in seconds (RFC 9110 §10.2.3: seconds or a date), at most six hours; None without one.

    A date is compared with the answer's Date, which is the platform's own clock, since ours may be minutes off.
    """
    value, date = headers.get("Retry-After"), headers.get("Date")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            now = parsedate_to_datetime(date) if date else timezone.now()
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (TypeError, ValueError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def clock_ahead(headers: Mapping[str, str], seconds: float) -> float | None:
    """Return by how many seconds our clock is ahead of the answer's Date (RFC 9110 §6.6.1: whole seconds).

    `seconds` is how long the answer took. None when it took long, came from a cache or has no Date.
    """
    if "Age" in headers or seconds > PROMPT_SECONDS:
        return None
    try:
        date = parsedate_to_datetime(headers.get("Date") or "")
    except (TypeError, ValueError):
        return None
    if date.tzinfo is None:
        return None
    return (timezone.now() - date).total_seconds() - 0.5
