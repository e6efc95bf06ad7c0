"""CodeScreen's answers: what is stated, and nothing else."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.codescreen.payloads import Progress, WebhookHint, split_name
from integrations.codescreen.signature import BadSignature, decode_secret, sign, verify

SECRET = "whsec_Y29kZXNjcmVlbi1jb250cmFjdC10ZXN0LXNlY3JldCE="


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada Alder", "Ada", "Alder"),
        ("  Ada   Maria  Alder ", "Ada Maria", "Alder"),
        ("Ada", "Ada", "-"),
        ("", "Candidate", "-"),
        ("   ", "Candidate", "-"),
    ],
)
def test_one_name_becomes_two(name, first, last):
    assert split_name(name) == (first, last)


@given(st.text())
def test_both_names_are_always_there(name):
    assert all(part.strip() for part in split_name(name))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
KEYS = ["status", "score", "result_url", "metadata"]
METADATA = ["result", "failureReason", "attempt", "startedAt", "submittedAt", "evaluatedAt"]


@given(
    st.dictionaries(st.sampled_from(KEYS), anything),
    st.none()
    | st.dictionaries(st.sampled_from(METADATA), anything | st.sampled_from(["Passed", "Failed", "Expired"])),
)
@settings(max_examples=400, deadline=None)
def test_an_answer_of_any_shape_is_decoded_and_nothing_is_guessed(body, metadata):
    if metadata is not None:
        body = body | {"metadata": metadata}
    found = Progress.from_api(body)
    assert found.score is None or 0 <= found.score <= 100
    assert found.outcome in {"", "Passed", "Failed", "Expired"}
    if found.outcome:
        assert str(metadata["result"]).strip().casefold() == found.outcome.casefold()
    if found.outcome == "Passed":
        assert found.failure_reason == ""
    assert found.attempt is None or found.attempt >= 1
    assert found.report_url == "" or found.report_url.startswith("http")


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_no_score(score):
    assert Progress.from_api({"score": score}).score is None


@given(st.dictionaries(st.sampled_from(["type", "data"]), anything))
def test_a_hint_of_any_shape_is_decoded(payload):
    found = WebhookHint.from_payload(payload)
    assert isinstance(found.type + found.instance_id + found.external_id, str)


# signatures


def headers(**changes):
    found = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1000",
        "webhook-signature": sign("msg_1", "1000", b"{}", SECRET),
    }
    return found | {name.replace("_", "-"): value for name, value in changes.items()}


def test_a_proven_message_tells_its_id():
    assert verify(headers(), b"{}", SECRET, 1000.0) == "msg_1"


@pytest.mark.parametrize(
    ("now", "is_in_time"), [(1300.0, True), (700.0, True), (1300.1, False), (699.9, False), (1e12, False)]
)
def test_five_minutes_either_way(now, is_in_time):
    if is_in_time:
        assert verify(headers(), b"{}", SECRET, now) == "msg_1"
        return
    with pytest.raises(BadSignature) as raised:
        verify(headers(), b"{}", SECRET, now)
    assert raised.value.code == "timestamp_out_of_range"


def test_the_parts_cannot_be_shifted_into_each_other():
    with pytest.raises(BadSignature):
        verify(headers(webhook_id="msg_1.1000", webhook_timestamp="1000"), b"{}", SECRET, 1000.0)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_x", "Y29kZXNjcmVlbi1jb250cmFjdC10ZXN0LXNlY3JldCE=", "whsec_YQ==", "whsec_ä"],
)
def test_a_malformed_secret_is_said(secret):
    with pytest.raises(ValueError, match="whsec_"):
        decode_secret(secret)


@given(st.text(), st.text(), st.text(), st.binary())
def test_any_headers_are_refused_without_a_crash(message_id, timestamp, signature, body):
    found = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    with pytest.raises(BadSignature):
        verify(found, body, SECRET, 1000.0)
