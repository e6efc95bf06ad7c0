"""Log lines carry the correlation id, and never the secret keys of addresses."""

import json
import logging
import sys
from typing import Any

import pytest

from integrations.core import correlation
from portal.logs import LONGEST_LINE, CorrelationId, JsonFormatter, OneLine, TextFormatter, logging_settings


def record_of(
    message: str, *values: object, level: int = logging.INFO, error: Any = None
) -> logging.LogRecord:
    return logging.LogRecord("django.request", level, __file__, 1, message, values, error)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_a_key_in_an_address_is_masked_in_message_and_traceback(formatter: logging.Formatter) -> None:
    try:
        raise LookupError("no row for /accounts/password/reset/key/2-secret-key/ of ada@x.example")
    except LookupError:
        address = "/accounts/password/reset/key/2-secret-key/"
        record = record_of("%s: %s", "Bad", address, error=sys.exc_info())
    line = formatter.format(record)
    assert "Bad: /accounts/password/reset/key/…/" in line
    assert "LookupError: no row for /accounts/password/reset/key/…/ of …" in line
    assert "secret-key" not in line
    assert record.args, "the record itself stays as it is, for other handlers"


def test_a_line_that_anyone_can_cause_is_short_and_a_warning() -> None:
    record = record_of("bad %s", "x" * 5000, level=logging.ERROR)
    assert OneLine().filter(record)
    assert (record.levelname, len(record.getMessage())) == ("WARNING", LONGEST_LINE)


def test_a_line_carries_the_id_of_the_work_in_progress() -> None:
    record = record_of("decided")
    text = logging.Formatter("%(message)s%(correlation)s")
    assert CorrelationId().filter(record)
    assert text.format(record) == "decided"
    assert "correlation_id" not in json.loads(JsonFormatter().format(record))
    with correlation.use("delivery-1"):
        CorrelationId().filter(record)
    assert text.format(record) == "decided [delivery-1]"
    assert json.loads(JsonFormatter().format(record))["correlation_id"] == "delivery-1"


def test_a_text_line_has_its_time_in_utc_and_nothing_in_it_begins_a_line_or_commands_a_terminal() -> None:
    record = record_of("of %s:\t\x1b]0;title\x07\x9b2J\x7f", "me\n2026 ERROR forged")
    record.created = 0
    line = TextFormatter("%(asctime)s %(message)s").format(record)
    assert line == "1970-01-01T00:00:00.000+00:00 of me\n    2026 ERROR forged:\t�]0;title��2J�"


def test_what_names_people_or_strangers_write_is_logged_by_no_library() -> None:
    loggers = logging_settings("DEBUG", "text")["loggers"]
    assert (loggers["urllib3"]["level"], loggers["fido2"]["level"]) == ("INFO", "WARNING")
    assert loggers["django.security.DisallowedHost"]["filters"] == ["one_line"]
