"""Times as milliseconds since 1970, which is how Lever writes them, and as text."""

import time
from datetime import UTC, datetime

DAY_MS = 24 * 60 * 60 * 1000


def now_ms() -> int:
    """Return the current time in milliseconds."""
    return time.time_ns() // 1_000_000


def iso_text(ms: int) -> str:
    """Return a time in milliseconds as ISO 8601 in UTC with a Z, to the second."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def readable(ms: int | None) -> str:
    """Return a time in milliseconds as the pages show it, or an empty string."""
    return "" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).strftime("%-d %b %Y, %H:%M:%S UTC")
