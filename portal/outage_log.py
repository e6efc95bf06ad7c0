"""One line a minute about an outage: every thread of every process meets it, several times a second."""

import logging
import sqlite3
import threading
import time

import redis
from django.db import InterfaceError, OperationalError

SAY_EVERY_SECONDS = 60.0
#: How PostgreSQL's codes of an outage begin: connection, resources, an operator, the system.
_OUTAGE_CODES = ("08", "53", "57P", "58")
UNAVAILABLE = 503


def outage(error: object) -> str:
    """Return what is away, when that is why the error was raised; else an empty text."""
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return "Redis"
    if not isinstance(error, OperationalError | InterfaceError):
        return ""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):  # a wrong statement is an OperationalError there
        return "" if getattr(cause, "sqlite_errorname", "") == "SQLITE_ERROR" else "the database"
    code = getattr(cause, "sqlstate", None) or ""
    return (
        "the database" if not code or code.startswith(_OUTAGE_CODES) else ""
    )  # a broken connection has none


class OncePerOutage(logging.Filter):
    """Keeps of what is logged about an outage one line a minute, without its traceback, in each process.

    A request that is answered 503 meanwhile is such a line too.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is kept; shorten one that is about an outage."""
        error = record.exc_info[1] if record.exc_info else record.msg  # django-q2 logs the error alone
        away = outage(error)
        if not away and getattr(record, "status_code", None) != UNAVAILABLE:
            return True
        if not self.is_news(away or str(UNAVAILABLE)):
            return False
        if away:
            reason = str(error).strip().partition("\n")[0]
            record.msg, record.args = "%s (%s: %s)", (record.getMessage(), type(error).__name__, reason)
            record.exc_info = record.exc_text = None
        return True

    def is_news(self, what: str) -> bool:
        """Whether nothing was said about it for a minute; it counts as said then."""
        now = time.monotonic()
        with self._lock:
            if now - self._said_at.get(what, -SAY_EVERY_SECONDS) < SAY_EVERY_SECONDS:
                return False
            self._said_at[what] = now
        return True
