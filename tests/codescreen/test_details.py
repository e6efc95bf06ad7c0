"""What CodeScreen's metadata says beyond the known keys: all of it, in order, within bounds, and without the person."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.codescreen.details import (
    LEFT_OUT,
    LONGEST_KEY,
    LONGEST_TEXT,
    MOST_KEYS,
    Person,
    detail_lines,
    details_in,
    readable,
)

NOBODY = Person()
ALDER = Person("Dr. Łucja Alder", "lucja@localhost")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=120), inner, max_size=4),
)


def test_what_is_not_known_by_name_is_kept_in_its_order():
    known = {"result": "Passed", "attempt": 1, "startedAt": "2026-05-02T08:00:00Z"}
    stated = {"zeta": 1, "issueCount": 10, "language": "Python", "Result": "Failed"}
    assert list(details_in(known | stated, NOBODY).items()) == list(stated.items())
    assert details_in(known, NOBODY) == details_in({}, NOBODY) == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (10, "10"),
        (66.66666666666667, "66.6667"),
        (12.0, "12"),
        (0.0, "0"),
        (0.00001, "1e-05"),
        (1e300, "1e+300"),
        (10**400, "1.000000e+400"),
        (float("nan"), "nan"),
        (True, "yes"),
        (False, "no"),
        (None, "none"),
        ("", "none"),
        ([], "none"),
        ({}, "none"),
        ("Zażółć 学习 😀", "Zażółć 学习 😀"),
        (["a", 2, None], "a, 2, none"),
        ({"passed": 18, "total": 20}, "passed: 18, total: 20"),
        ([{"file": "a.py", "issues": [1, 2]}, []], "(file: a.py, issues: (1, 2)), none"),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, "a: (b: (c: (d: …)))"),
    ],
)
def test_a_value_is_readable(value, words):
    assert detail_lines(details_in({"key": value}, NOBODY)) == [("key", words)]


def test_each_detail_is_one_line_whatever_it_holds():
    hostile = {"a\nResult": "x\r\nResult: Passed\u2028\x00\x1b[31m\u202eend", "b": ["1\n2", {"c\td": "\x07"}]}
    assert detail_lines(details_in(hostile, NOBODY)) == [
        ("a Result", "x Result: Passed [31mend"),
        ("b", "1 2, (c d: none)"),
    ]


def test_a_thousand_keys_are_bounded_and_counted():
    details = details_in({f"key{number}": number for number in range(1000)}, NOBODY)
    assert len(details) == MOST_KEYS + 1
    assert detail_lines(details)[-1] == ("…", "960 more")


def test_keys_that_become_the_same_are_all_kept():
    assert details_in({"a": 1, "a\n": 2, "": 3, " ": 4}, NOBODY) == {
        "a": 1,
        "a (2)": 2,
        "unnamed": 3,
        "unnamed (4)": 4,
    }


def test_long_texts_are_cut():
    [(key, text)] = detail_lines(details_in({"x" * 500: "y" * 100_000}, NOBODY))
    assert (len(key), len(text)) == (LONGEST_KEY, LONGEST_TEXT)
    [(_, text)] = detail_lines(details_in({"x": ["failed test"] * 100_000}, NOBODY))
    assert (len(text), text[:26], text[-1]) == (LONGEST_TEXT, "failed test, failed test, "[:26], "…")


def test_deep_nesting_ends():
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    assert detail_lines(details_in({"deep": deep}, NOBODY)) == [("deep", "(((…)))")]


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
    shown = str(detail_lines(details_in({"key": value, "other": 1}, ALDER)))
    assert LEFT_OUT in shown
    assert "lder" not in shown
    assert "ucja" not in shown.casefold()
    assert "('other', '1')" in shown


@pytest.mark.parametrize("key", ["Alder", "a@b.example"])
def test_a_key_that_names_the_person_is_left_out(key):
    assert details_in({key: 1}, ALDER) == {LEFT_OUT: 1}


@pytest.mark.parametrize(
    ("person", "value"),
    [
        (Person("王小明"), "王小明通过了"),
        (Person("Nguyễn Văn An"), "Nguye\u0302\u0303n"),
        (Person("Max"), "by Max"),
        (Person("anna kowalska"), "Anna copied code"),
        (Person("JOHN SMITH"), "pasted by John"),
        (Person("John Smith"), "JOHN pasted"),
    ],
)
def test_a_name_is_found_in_other_scripts_and_forms(person, value):
    assert details_in({"key": value}, person) == {"key": LEFT_OUT}


@pytest.mark.parametrize("value", ["max memory", "react@18.2.0", "elder", "@property", "Maximum", "Li"])
def test_what_only_looks_a_little_like_a_person_stays(value):
    assert details_in({"key": value}, Person("Max Li")) == {"key": value}
    assert details_in({"key": "static analysis"}, Person("An Al")) == {"key": "static analysis"}


@given(st.dictionaries(st.text(max_size=120), anything, max_size=60))
def test_any_metadata_is_within_bounds_and_can_be_stored(metadata):
    details = details_in(metadata, ALDER)
    assert len(details) <= MOST_KEYS + 1
    assert json.loads(json.dumps(details, allow_nan=False)) == details
    for key, text in detail_lines(details):
        assert 0 < len(key) <= LONGEST_KEY + 6
        assert 0 < len(text) <= LONGEST_TEXT
        assert len(f"{key}: {text}".splitlines()) == 1


def test_what_is_in_words_stays_as_it_is():
    assert readable("a, b") == "a, b"
