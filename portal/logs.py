"""The JSON format of log lines, and the masking of secret keys in them."""

import json
import logging
import re
from datetime import UTC, datetime

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


class JsonFormatter(logging.Formatter):
    """Formats a record as time, level, logger, message and, if there is one, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
