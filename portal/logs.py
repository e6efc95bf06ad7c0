"""The JSON format of log lines, the correlation id in them, and the masking of secret keys."""

import json
import logging
import re
from datetime import UTC, datetime

from integrations import correlation

_ADDRESS_WITH_KEY = re.compile(
    r"(/(?:webhooks/lever|webhooks/codescreen|unsubscribe|invite/[^/\s]+)/)[^/\s\"']+"
)


class MaskedAddresses(logging.Filter):
    """Masks the secret keys of addresses that grant access without a sign-in: Django logs a failed request's path."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the keys in the message. Return True: every record is kept."""
        message = record.getMessage()
        if _ADDRESS_WITH_KEY.search(message):
            record.msg, record.args = _ADDRESS_WITH_KEY.sub(r"\1…", message), ()
        return True


class CorrelationId(logging.Filter):
    """Adds the id of the work in progress, as `correlation_id` and as `correlation` for the end of a text line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add it. Return True: every record is kept."""
        correlation_id = correlation.current()
        record.__dict__["correlation_id"] = correlation_id
        record.__dict__["correlation"] = f" [{correlation_id}]" if correlation_id else ""
        return True


class JsonFormatter(logging.Formatter):
    """Formats a record as time, level, logger, message and, if there are any, correlation id and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if correlation_id := getattr(record, "correlation_id", ""):
            line["correlation_id"] = correlation_id
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
