"""CodeScreen's answers and webhooks: what is stated is decoded within bounds, and nothing is derived."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.codescreen.details import (
    LEFT_OUT,
    LONGEST_KEY,
    LONGEST_TEXT,
    MOST_KEYS,
    detail_lines,
    details_in,
)
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


# metadata beyond the known keys: all of it, in order, within bounds, and without the person


ALDER = "Dr. Łucja Alder", "lucja@localhost"

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=120), inner, max_size=4),
)


def test_what_is_not_known_by_name_is_kept_in_its_order():
    known = {"result": "Passed", "attempt": 1, "startedAt": "2026-05-02T08:00:00Z"}
    stated = {
        "zeta": {"y": 1, "x": [2]},
        "issueCount": 10,
        "language": "Python",
        "Result": "Failed",
        "checked": True,
    }
    assert list(details_in(known | stated).items()) == list(stated.items())
    assert details_in(known) == details_in({}) == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (10, "10"),
        (66.66666666666667, "66.6667"),
        (12.0, "12"),
        (1e300, "1e+300"),
        (10**400, "1" + "0" * 298 + "…"),
        (float("nan"), "nan"),
        (True, "yes"),
        (False, "no"),
        (None, "none"),
        ("", "none"),
        ([], "none"),
        ("Zażółć 学习 😀", "Zażółć 学习 😀"),
        (["a", 2, None], '["a", 2, null]'),
        ({"passed": 18, "total": 20}, '{"passed": 18, "total": 20}'),
        ({"n": float("nan")}, "…"),
    ],
)
def test_a_value_is_readable(value, words):
    assert detail_lines(details_in({"key": value})) == [("key", words)]


def test_each_detail_is_one_line_whatever_it_holds():
    hostile = {"a\nResult": "x\r\nResult: Passed\u2028\x00\x1b[31m\u202eend"}
    assert detail_lines(details_in(hostile)) == [("a Result", "x Result: Passed [31mend")]


def test_many_keys_and_long_texts_are_cut():
    assert len(details_in({f"key{number}": number for number in range(1000)})) == MOST_KEYS
    [(key, text)] = detail_lines(details_in({"x" * 500: "y" * 100_000}))
    assert (len(key), len(text), text[-1]) == (LONGEST_KEY, LONGEST_TEXT, "…")


def test_deep_nesting_ends():
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    assert detail_lines(details_in({"deep": deep})) == [("deep", "…")]


@pytest.mark.parametrize(
    "value",
    [
        "reviewed for lucja.alder@candidates.example",
        "https://app.example/?candidate=lucja%40candidates.example",
        "at LUCJA@LOCALHOST",
        "Łucja Alder",
        "łucja_alder was fast",
        "łucjaalder42",
        "Alder, Ł.",
        "A\u0142ucja and \u0141ucja",
        ["fine", {"who": "Alder"}],
        {"Alder": 1},
        "x" * 280 + " lucja@candidates.example",
    ],
)
def test_a_text_that_names_the_person_is_left_out(value):
    assert details_in({"key": value, "other": 1}, *ALDER) == {"key": LEFT_OUT, "other": 1}


@pytest.mark.parametrize("key", ["Alder", "a@b.example"])
def test_a_key_that_names_the_person_is_left_out(key):
    assert details_in({key: 1}, *ALDER) == {LEFT_OUT: 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("王小明", "王小明通过了"),
        ("Nguyễn Văn An", "Nguye\u0302\u0303n"),
        ("Max", "by Max"),
        ("anna kowalska", "Anna copied code"),
        ("JOHN SMITH", "pasted by John"),
        ("John Smith", "JOHN pasted"),
    ],
)
def test_a_name_is_found_in_other_scripts_and_forms(name, value):
    assert details_in({"key": value}, name) == {"key": LEFT_OUT}


@pytest.mark.parametrize("value", ["max memory", "react@18.2.0", "elder", "@property", "Maximum", "Li"])
def test_what_only_looks_a_little_like_a_person_stays(value):
    assert details_in({"key": value}, "Max Li") == {"key": value}


@pytest.mark.slow
@given(st.dictionaries(st.text(max_size=120), anything, max_size=60))
def test_any_metadata_is_within_bounds_and_can_be_stored(metadata):
    details = details_in(metadata, *ALDER)
    assert len(details) <= MOST_KEYS
    assert json.loads(json.dumps(details, allow_nan=False)) == details
    for key, text in detail_lines(details):
        assert len(key) <= LONGEST_KEY
        assert len(text) <= LONGEST_TEXT
        assert len(f"{key}: {text}".splitlines()) == 1
