"""The formats of log lines, the correlation id in them, and the masking of secrets and addresses of people."""

import json
import logging
from datetime import UTC, datetime
from typing import override

from integrations import correlation
from portal.masking import mask

LONGEST_LINE = 200


class CorrelationId(logging.Filter):
    """Adds the id of the work in progress, as `correlation_id` and as `correlation` for the end of a text line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add it. Return True: every record is kept."""
        correlation_id = correlation.current()
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


class TextFormatter(logging.Formatter):
    """Formats a record as a line of text, with the traceback below. All of it is masked.

    Further lines of a message are indented, so that nobody can write what looks like a line of its own.
    """

    @override
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Return the time in UTC."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line with the further lines of its message indented."""
        record.message = "\n    ".join(record.message.splitlines())
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: whatever logged it, what looks like a secret isn't in it."""
        return mask(super().format(record))


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
