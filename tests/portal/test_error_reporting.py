"""An event for the error tracker holds types and places: neither what failed says a value nor how it was asked for."""

import json
import logging
import multiprocessing
from collections.abc import Callable
from typing import Any
from unittest import mock

import requests
from django.test import Client
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from integrations.core import correlation
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


def events_of(act: Callable[[], None]) -> list[dict[str, Any]]:
    """Let a process that reports do this. Return the events that it sends."""
    reader, writer = multiprocessing.Pipe(duplex=False)

    class Kept(Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            writer.send([item.payload.json for item in envelope.items])

    def report() -> None:
        with mock.patch("sentry_sdk.client.make_transport", return_value=Kept()):
            start_reporting("http://public@127.0.0.1:9/1", "1.0")
        act()
        writer.send(None)

    process = multiprocessing.get_context("fork").Process(target=report)
    process.start()
    writer.close()
    events = [one for items in iter(reader.recv, None) for one in items]
    process.join()
    return events


def fail_in_many_ways() -> None:
    """Fail with secrets in messages, local variables, breadcrumbs, and in all that a request has."""

    def fail(*_: object, **__: object) -> None:
        secret = f"local-{SECRET}"
        error = LookupError(f"cannot use {secret}", {"api_key": secret})
        error.add_note(secret)
        raise error from ValueError(secret)

    logging.getLogger("integrations.test").warning("told %s", SECRET, extra={"detail": SECRET})
    with mock.patch("requests.adapters.HTTPAdapter.send", side_effect=requests.ConnectionError(SECRET)):
        try:
            requests.get(f"https://lever.example/v1?email={SECRET}", timeout=1)
        except requests.ConnectionError:
            logging.getLogger("integrations.test").exception("effect %s crashed", SECRET)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {SECRET}"})
    with mock.patch("allauth.account.views.LoginView.dispatch", fail):
        client.post(f"/accounts/login/?code={SECRET}", {"password": SECRET})
    client.get("/accounts/login/", headers={"Host": f"{SECRET}.example"})


def test_the_tracker_is_told_what_failed_and_where_and_no_value() -> None:
    call, page = events_of(fail_in_many_ways)
    assert SECRET not in json.dumps([call, page])
    assert [one["type"] for one in call["exception"]["values"]] == ["ConnectionError"]
    assert [one["type"] for one in page["exception"]["values"]] == ["ValueError", "LookupError"]
    assert page["transaction"] == "/accounts/login/"
    frames = page["exception"]["values"][-1]["stacktrace"]["frames"]
    assert any(frame["function"] == "fail" and frame["lineno"] for frame in frames)
    assert not any({"vars", "context_line"} & set(frame) for frame in frames)
    assert not any(name in one for one in (call, page) for name in ("request", "user", "extra"))
    assert not any(one.get("breadcrumbs", {}).get("values") for one in (call, page))
