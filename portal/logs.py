"""The portal's logs: formats, the id of an event, masked secrets, and one line for each outage."""

import json
import logging
import mmap
import re
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any, Literal, override

import redis
from django.db import InterfaceError, OperationalError

from integrations.core import correlation
from integrations.core.vocabulary import MAIL_SERVER, Platform

# Masks what looks like a secret or an address of a person in any text: log lines and tracebacks.
#
# It knows neither where the text comes from nor which secrets there are. `integrations.http.redaction` redacts decoded
# JSON by the names of its fields, and removes the secrets of one request from its answer.


MASK = "…"

_SECRET_NAME = (
    r"(?:[\w-]*(?:token|secret|password|passwd|signature|api_?-?key|sessionid)"
    r"|authorization|cookie|code|state)"
)
#: What is replaced, and by what. A text is masked by all of them in turn; masking it again changes nothing.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # addresses that grant access without a sign-in
    (
        re.compile(
            r"(/(?:webhooks/lever|webhooks/codescreen|unsubscribe|accounts/password/reset/key)/)[^/\s\"'?]+"
        ),
        rf"\1{MASK}",
    ),
    # any other part of an address that looks like a random key; UUIDs are ids
    (
        re.compile(
            r"(?<=/)(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)(?=[\w:=~-]*\d)[\w:=~-]{20,}(?=[/\s\"'?.,)]|$)"
        ),
        MASK,
    ),
    # query strings: OAuth's code and state, searches for people
    (re.compile(r"(?<=[\w/…\-\]])\?[\w.~%\[\]+-]+=[^\s\"'<>)]*"), f"?{MASK}"),
    # user and password in the address of a database, a mail server or Sentry
    (re.compile(r"(?<=://)[^\s/@\"']+@"), f"{MASK}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=:-]+", re.IGNORECASE), rf"\1 {MASK}"),
    # name and value, as in forms, headers, JSON and Python's dictionaries
    (
        re.compile(
            rf"(?<![\w-])({_SECRET_NAME}[\"']?\s*(?:=|:)\s*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&\"'(){{}}\[\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    # starts at a word's beginning and is possessive: else matching a long text without spaces takes quadratic time
    (
        re.compile(r"""(?<![^\s@"'<>“”(),;:=/&?])[^\s@"'<>“”(),;:=/&?…]++(?:@|%40)[^\s@"'<>“”(),;:/&?]++"""),
        MASK,
    ),
)


def mask(text: str) -> str:
    """Return the text without keys in addresses, query strings, named secrets and e-mail addresses."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


# The formats of log lines, the correlation id in them, and the masking of secrets and addresses of people.


LONGEST_LINE = 200
#: Control characters, except for tabs and line breaks.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class CorrelationId(logging.Filter):
    """Adds the id of the work in progress, as `correlation_id` and as `correlation` for the end of a text line.

    When an answer is logged after its work has ended, it is the id of the request.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add it. Return True: every record is kept."""
        meta = getattr(getattr(record, "request", None), "META", {})
        correlation_id = correlation.current() or meta.get("HTTP_X_REQUEST_ID", "")
        record.__dict__["correlation_id"] = correlation_id
        record.__dict__["correlation"] = f" [{correlation_id}]" if correlation_id else ""
        return True


class OneLine(logging.Filter):
    """Makes one short warning of what anyone can cause with one request, such as a wrong Host header."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the traceback and cut the message. Return True: every record is kept."""
        record.msg, record.args, record.exc_info = record.getMessage()[:LONGEST_LINE], (), None
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        return True


def is_of_no_probe(record: logging.LogRecord) -> bool:
    """Whether a record isn't what Django logs of an answered probe: `portal.probes` logs that with the reason."""
    return not getattr(getattr(record, "request", None), "path", "").startswith("/healthz/")


class TextFormatter(logging.Formatter):
    """Formats a record as a line of text, with the traceback below. All of it is masked.

    Further lines of a message are indented, so that nobody can write what looks like a line of its own.
    """

    @override
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line with the further lines of its message indented."""
        record.message = "\n    ".join(record.message.splitlines())
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: what looks like a secret isn't in it, nor what a terminal takes for a command."""
        return mask(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", super().format(record)))


class JsonFormatter(logging.Formatter):
    """Formats a record as time, level, logger, message and, if there are any, correlation id and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON, with message and traceback masked."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": mask(record.getMessage()),
        }
        if correlation_id := getattr(record, "correlation_id", ""):
            line["correlation_id"] = correlation_id
        if record.exc_info:
            line["traceback"] = mask(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


# One line a minute about an outage: every thread of every process meets it, several times a second.


SAY_EVERY_SECONDS = 60.0
#: How PostgreSQL's codes of an outage begin: connection, resources, an operator, the system.
_OUTAGE_CODES = ("08", "53", "57P", "58")
UNAVAILABLE = 503
#: What django-q2 logs each ten seconds while Redis is away, about the process that fetches its tasks.
REPLACED = "reincarnated pusher"
DATABASE, REDIS = "the database", "Redis"
_NEWS = (DATABASE, REDIS, str(UNAVAILABLE), REPLACED, MAIL_SERVER, *Platform)


def outage(error: object) -> str:
    """Return what is away, when that is why the error was raised; else an empty text."""
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return REDIS
    if not isinstance(error, OperationalError | InterfaceError):
        return ""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):  # a wrong statement is an OperationalError there
        return "" if getattr(cause, "sqlite_errorname", "") == "SQLITE_ERROR" else DATABASE
    code = getattr(cause, "sqlstate", None) or ""
    return DATABASE if not code or code.startswith(_OUTAGE_CODES) else ""  # a broken connection has none


class OncePerOutage(logging.Filter):
    """Keeps of what is logged about an outage one line a minute, without its traceback, in each process.

    A request that is answered 503 meanwhile is such a line too, and a record whose `outage` says what is away.
    Processes that are forked count as the one that made them: while Redis is away, django-q2 makes a new one each ten
    seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        # without a lock, which a process that is forked meanwhile would inherit held: at worst two threads say it
        self._said_at = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("d")
        for place in range(len(_NEWS)):
            self._said_at[place] = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is kept; shorten one that is about an outage."""
        error = record.exc_info[1] if record.exc_info else record.msg  # django-q2 logs the error alone
        away = outage(error)
        what = away or getattr(record, "outage", "")
        if getattr(record, "status_code", None) == UNAVAILABLE:
            what = what or str(UNAVAILABLE)
        elif str(record.msg).startswith(REPLACED):
            what = what or REPLACED
        if not what:
            return True
        if not self.is_news(what):
            return False
        if away:
            reason = str(error).strip().partition("\n")[0]
            record.msg, record.args = "%s (%s: %s)", (record.getMessage(), type(error).__name__, reason)
            record.exc_info = record.exc_text = None
        return True

    def is_news(self, what: str) -> bool:
        """Whether nothing was said about it for a minute; it counts as said then."""
        now, place = time.monotonic(), _NEWS.index(what)
        if now - self._said_at[place] < SAY_EVERY_SECONDS:
            return False
        self._said_at[place] = now
        return True


# What is logged, in which format, and from which level.


def logging_settings(level: str, formatter: Literal["text", "json"]) -> dict[str, Any]:
    """Return Django's LOGGING: one handler, to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {
                "()": "portal.logs.TextFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s: %(message)s%(correlation)s",
            },
            "json": {"()": "portal.logs.JsonFormatter"},
        },
        "filters": {
            "correlation": {"()": "portal.logs.CorrelationId"},
            "outages": {"()": "portal.logs.OncePerOutage"},
            "one_line": {"()": "portal.logs.OneLine"},
            "no_probe": {"()": "django.utils.log.CallbackFilter", "callback": is_of_no_probe},
        },
        "handlers": {
            "stderr": {
                "filters": ["outages", "correlation"],
                "class": "logging.StreamHandler",
                "formatter": formatter,
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            "django.request": {"level": "ERROR", "filters": ["no_probe"]},
            "django.security.DisallowedHost": {"filters": ["one_line"]},
            "django.security.DisallowedModelAdminLookup": {"filters": ["one_line"]},
            # at DEBUG it would log every address that is called, with candidates' e-mail addresses in the query
            "urllib3": {"level": "INFO"},
            "fido2": {"level": "WARNING"},  # it logs the ids of passkeys
        },
    }
