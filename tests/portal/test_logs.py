"""Log lines carry the correlation id, and never the secret keys of addresses."""

import json
import logging
import sys

import pytest

from integrations.core import correlation
from portal.logs import LONGEST_LINE, CorrelationId, JsonFormatter, OneLine, TextFormatter


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_a_key_in_an_address_is_masked_in_message_and_traceback(formatter: logging.Formatter) -> None:
    try:
        raise LookupError("no row for /accounts/password/reset/key/2-secret-key/ of ada@x.example")
    except LookupError:
        record = logging.LogRecord(
            "django.request",
            logging.ERROR,
            __file__,
            1,
            "%s: %s",
            ("Bad", "/accounts/password/reset/key/2-secret-key/"),
            sys.exc_info(),
        )
    line = formatter.format(record)
    assert "Bad: /accounts/password/reset/key/…/" in line
    assert "LookupError: no row for /accounts/password/reset/key/…/ of …" in line
    assert "secret-key" not in line
    assert record.args, "the record itself stays as it is, for other handlers"


def test_a_line_that_anyone_can_cause_is_short_and_a_warning() -> None:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "bad %s", ("x" * 5000,), None)
    assert OneLine().filter(record)
    assert (record.levelname, len(record.getMessage())) == ("WARNING", LONGEST_LINE)


def test_a_line_carries_the_id_of_the_work_in_progress() -> None:
    record = logging.LogRecord("integrations", logging.INFO, __file__, 1, "decided", (), None)
    text = logging.Formatter("%(message)s%(correlation)s")
    assert CorrelationId().filter(record)
    assert text.format(record) == "decided"
    assert "correlation_id" not in json.loads(JsonFormatter().format(record))
    with correlation.use("delivery-1"):
        CorrelationId().filter(record)
    assert text.format(record) == "decided [delivery-1]"
    assert json.loads(JsonFormatter().format(record))["correlation_id"] == "delivery-1"


def test_a_text_line_has_its_time_in_utc_and_no_line_of_its_own_in_a_value() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "of %s", ("me\n2026 ERROR forged",), None)
    record.created = 0
    line = TextFormatter("%(asctime)s %(message)s").format(record)
    assert line == "1970-01-01T00:00:00.000+00:00 of me\n    2026 ERROR forged"


def test_a_terminal_takes_nothing_in_a_text_line_for_a_command() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, __file__, 1, "Gone:\t/data/\x1b]0;title\x07\x9b2J\x7f", (), None
    )
    assert TextFormatter("%(message)s").format(record) == "Gone:\t/data/�]0;title��2J�"
