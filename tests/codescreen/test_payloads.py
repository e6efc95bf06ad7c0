"""CodeScreen's answers and webhooks: what is stated is decoded, and nothing is derived."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.codescreen.payloads import Progress, WebhookHint
from tests.lever.shapes import any_json

KEYS = ["status", "score", "result_url", "metadata"]
METADATA = ["result", "failureReason", "attempt", "startedAt", "submittedAt", "evaluatedAt"]


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from(KEYS), any_json()),
    st.none()
    | st.dictionaries(
        st.sampled_from(METADATA), any_json() | st.sampled_from(["Passed", "Failed", "Expired"])
    ),
)
@settings(max_examples=200, deadline=None)
def test_an_answer_of_any_shape_is_decoded_and_nothing_is_derived(body, metadata):
    if metadata is not None:
        body = body | {"metadata": metadata}
    progress = Progress.from_api(body)
    assert progress.score is None or 0 <= progress.score <= 100
    assert progress.outcome in {"", "Passed", "Failed", "Expired"}
    if progress.outcome:
        assert str(metadata["result"]).strip().casefold() == progress.outcome.casefold()
    if progress.outcome == "Passed":
        assert progress.failure_reason == ""
    assert progress.attempt is None or progress.attempt >= 1
    assert progress.report_url == "" or progress.report_url.startswith("http")


@given(st.dictionaries(st.sampled_from(["type", "data"]), any_json()))
def test_a_webhook_of_any_shape_is_decoded(payload):
    hint = WebhookHint.from_payload(payload)
    assert isinstance(hint.type + hint.instance_id, str)
