"""What a log line looks like, and what never gets into one."""

import json
import logging
import re
from datetime import UTC, datetime

_KEYED = re.compile(r"(/(?:webhooks/lever|webhooks/codescreen|unsubscribe|invite/[^/\s]+)/)[^/\s\"']+")


class MaskedAddresses(logging.Filter):
    """Take the keys out of addresses that open something by themselves; Django logs a failed request's path."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask and keep every record."""
        message = record.getMessage()
        if _KEYED.search(message):
            record.msg, record.args = _KEYED.sub(r"\1…", message), ()
        return True


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message and, where there is one, the traceback."""

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
