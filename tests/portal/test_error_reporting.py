"""An event for the error tracker is made of what can't hold a secret; tests/attacks/test_error_tracker.py plays it."""

import json
from typing import Any, cast

from portal.error_reporting import safe_breadcrumb, safe_event

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
