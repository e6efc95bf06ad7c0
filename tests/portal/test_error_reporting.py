"""An event for the error tracker holds types and places; tests/attacks/test_error_tracker.py plays it."""

import json
import logging
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

from integrations.core import correlation
from integrations.store.leasing import masked_traceback
from portal.error_reporting import start_reporting, without_values

SECRET = "secret-value"


def event(**parts: Any) -> Any:
    return without_values(parts, {})


def test_the_address_is_named_only_as_a_pattern() -> None:
    by_address = event(
        transaction=f"/accounts/password/reset/key/2-{SECRET}/", transaction_info={"source": "url"}
    )
    by_pattern = event(transaction="/invite/{uidb64}/{token}/", transaction_info={"source": "route"})
    assert SECRET not in json.dumps(by_address)
    assert by_pattern["transaction"] == "/invite/{uidb64}/{token}/"


def test_a_message_of_ours_keeps_its_placeholders_and_another_one_is_dropped() -> None:
    entry = {"message": "effect %s crashed", "formatted": SECRET, "params": [SECRET]}
    assert event(logger="integrations.queue", logentry=entry)["logentry"] == {"message": "effect %s crashed"}
    assert event(logger="django-q", logentry={"message": SECRET})["logentry"] == {
        "message": "An error of django-q"
    }


def test_what_was_asked_for_and_by_whom_is_left_out() -> None:
    parts = {"request": {"url": SECRET}, "user": {"id": SECRET}, "extra": {"x": SECRET}}
    assert SECRET not in json.dumps(event(**parts))


class Tracker(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.events += [item.payload.json for item in envelope.items if item.type == "event"]


@pytest.fixture
def tracker(monkeypatch):
    """What the SDK would send, started as in production."""
    tracker, init = Tracker(), sentry_sdk.init
    with sentry_sdk.isolation_scope():
        # its other integrations patch Django for good
        alone: dict[str, Any] = {
            "default_integrations": False,
            "integrations": [LoggingIntegration()],
            "transport": tracker,
        }
        monkeypatch.setattr(sentry_sdk, "init", lambda **options: init(**options, **alone))
        start_reporting("http://public@127.0.0.1/1", "1.2.3")
        yield tracker
        init()


def test_an_error_that_a_log_does_not_quote_is_named_with_its_place(tracker) -> None:
    def fail() -> None:
        raise KeyError(SECRET)

    with correlation.use("delivery-7"):
        try:
            fail()
        except KeyError as error:
            logging.getLogger("integrations.queue.worker").error("a step failed\n%s", masked_traceback(error))
    (sent,) = tracker.events
    (exception,) = sent["exception"]["values"]
    assert exception["type"] == "KeyError"
    assert exception["stacktrace"]["frames"][-1]["function"] == "fail"
    assert sent["tags"] == {"correlation_id": "delivery-7"}
    assert sent["release"] == "1.2.3"
    assert SECRET not in json.dumps(sent)
