"""An event for the error tracker holds types and places; tests/attacks/test_error_tracker.py plays it."""

import json
from typing import Any

from integrations.core import correlation
from portal.error_reporting import without_values

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


def test_an_error_that_a_log_does_not_quote_is_named_with_its_place() -> None:
    def fail() -> None:
        raise KeyError(SECRET)

    with correlation.use("delivery-7"):
        try:
            fail()
        except KeyError:
            sent = event(logger="integrations.queue", logentry={"message": "a step failed"})
    (exception,) = sent["exception"]["values"]
    assert exception["type"] == "KeyError"
    assert exception["stacktrace"]["frames"][-1]["function"] == "fail"
    assert sent["tags"] == {"correlation_id": "delivery-7"}
    assert SECRET not in json.dumps([exception["value"], sent["logentry"]])
