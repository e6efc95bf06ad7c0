"""Log lines carry the correlation id, and never the secret keys of addresses."""

import json
import logging

import pytest

from integrations import correlation
from portal.logs import CorrelationId, JsonFormatter, MaskedAddresses


def logged_message(path: str) -> str:
    record = logging.LogRecord(
        "django.request", logging.ERROR, __file__, 1, "%s: %s", ("Unavailable", path), None
    )
    assert MaskedAddresses().filter(record)
    return str(json.loads(JsonFormatter().format(record))["message"])


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/lever/secret-key/",
        "/webhooks/codescreen/secret-key",
        "/unsubscribe/secret-key/",
        "/invite/Mg/secret-key/",
    ],
)
def test_a_key_in_an_address_is_masked(path: str) -> None:
    assert "secret-key" not in logged_message(path)
    assert logged_message(path).startswith("Unavailable: /")


def test_an_address_without_a_key_is_unchanged() -> None:
    assert logged_message("/activity/opportunity-1/") == "Unavailable: /activity/opportunity-1/"


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
