"""What never gets into a log line."""

import json
import logging

import pytest

from portal.logs import JsonFormatter, MaskedAddresses


def written(path: str) -> str:
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
def test_the_key_in_an_address_is_masked(path: str) -> None:
    assert "secret-key" not in written(path)
    assert written(path).startswith("Unavailable: /")


def test_other_lines_are_left_alone() -> None:
    assert written("/activity/opportunity-1/") == "Unavailable: /activity/opportunity-1/"
