"""An event for the error tracker is made of what can't hold a secret; tests/attacks/test_error_tracker.py plays it."""

import json
import logging
from typing import Any, cast

import pytest
import sentry_sdk
from django.db import OperationalError
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

from integrations.core import correlation
from integrations.store.leasing import masked_traceback
from portal.error_reporting import safe_breadcrumb, safe_event, start_reporting

SECRET = "secret-value"


def event(**parts: Any) -> Any:
    return safe_event(cast(Any, parts), {})


def test_a_field_that_is_unknown_is_left_out() -> None:
    parts = {"level": "error", "user": {"id": SECRET}, "contexts": {"x": {"a": SECRET}}, "new_field": SECRET}
    assert SECRET not in json.dumps(event(**parts))


def test_the_address_is_named_only_as_a_pattern() -> None:
    by_address = event(transaction=f"/invite/Mg/{SECRET}/", transaction_info={"source": "url"})
    by_pattern = event(transaction="/invite/{uidb64}/{token}/", transaction_info={"source": "route"})
    assert SECRET not in json.dumps(by_address)
    assert by_pattern["transaction"] == "/invite/{uidb64}/{token}/"


def test_a_message_of_ours_keeps_its_placeholders_and_another_one_is_dropped() -> None:
    entry = {"message": "effect %s crashed", "formatted": SECRET, "params": [SECRET]}
    assert event(logger="integrations.queue", logentry=entry)["logentry"] == {"message": "effect %s crashed"}
    assert event(logger="django-q", logentry={"message": SECRET})["logentry"] == {"message": "…"}


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


def test_events_of_another_librarys_logger_are_told_apart_by_their_place(tracker) -> None:
    """As django-q2's, whose messages may quote anything."""

    def save_task() -> None:
        logging.getLogger("django-q").error(f"Could not save {SECRET}")  # noqa: G004

    def pull_task() -> None:
        logging.getLogger("django-q").error(f"Failed to pull {SECRET}")  # noqa: G004

    save_task()
    pull_task()
    messages = [sent["logentry"]["message"] for sent in tracker.events]
    assert messages == ["test_error_reporting.save_task", "test_error_reporting.pull_task"]
    assert SECRET not in json.dumps(tracker.events)


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


def test_an_outage_is_one_issue_wherever_it_is_noticed_and_one_event_a_minute(tracker, monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr("portal.logs.time.monotonic", lambda: now[0])
    for logger, now[0] in (("django-q", 0.0), ("integrations.queue.worker", 10.0), ("django-q", 70.0)):
        try:
            raise OperationalError("the connection is lost")
        except OperationalError:
            logging.getLogger(logger).exception("failed")
    assert [sent["fingerprint"] for sent in tracker.events] == [["outage", "the database"]] * 2


def test_a_transaction_has_no_values_in_its_spans() -> None:
    span = {
        "span_id": "1",
        "op": "db",
        "description": f"SELECT '{SECRET}'",
        "data": {"url": SECRET},
        "tags": {},
    }
    assert event(type="transaction", spans=[span])["spans"] == [{"span_id": "1", "op": "db"}]


def test_a_breadcrumb_of_a_call_keeps_method_and_status() -> None:
    crumb = {
        "category": "httplib",
        "message": SECRET,
        "data": {"url": SECRET, "http.method": "GET", "status_code": 200},
    }
    assert safe_breadcrumb(cast(Any, crumb), {}) == {
        "category": "httplib",
        "data": {"http.method": "GET", "status_code": 200},
    }


def test_an_event_without_anything_is_still_an_event() -> None:
    assert event() == {"contexts": {}, "breadcrumbs": {"values": []}}
