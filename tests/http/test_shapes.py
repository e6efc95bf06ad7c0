"""What something sent is compared with: types and forms, and never values."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.http.shapes import (
    ANYTHING,
    BOOLEAN,
    TEXT,
    WHOLE_NUMBER,
    Endpoint,
    Form,
    Kind,
    either,
    json_object,
    kind_of,
    list_of,
    nullable,
    one_of,
    optional,
)

PERSON = json_object(
    id=TEXT,
    age=optional(
        WHOLE_NUMBER.of_form(Form("at most 120", lambda value: float(str(value)) <= 120))
    ).readable_as(Kind.NUMBER_IN_TEXT),
    state=TEXT.of_form(one_of(frozenset({"Open", "Closed"}))),
    note=nullable(TEXT),
    tags=list_of(TEXT),
    role=either(TEXT, json_object(id=TEXT)),
    extra=ANYTHING,
    active=optional(BOOLEAN),
)
GOOD = {"id": "1", "age": 30, "state": "Open", "note": None, "tags": ["a"], "role": {"id": "r"}, "extra": 5}


def found(body: object) -> list[tuple[str, str, bool]]:
    """Return field, what was found, and whether it is readable."""
    return [
        (one.field, one.found.name, one.is_readable) for one in Endpoint("GET /x", PERSON).deviations(body)
    ]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a", Kind.TEXT),
        ("75", Kind.NUMBER_IN_TEXT),
        (" 7.5 ", Kind.NUMBER_IN_TEXT),
        (75, Kind.WHOLE_NUMBER),
        (75.0, Kind.WHOLE_NUMBER),
        (99.9, Kind.FRACTION),
        (math.nan, Kind.FRACTION),
        (True, Kind.BOOLEAN),
        (None, Kind.NULL),
        ([], Kind.LIST),
        ({}, Kind.OBJECT),
    ],
)
def test_a_value_is_of_one_kind(value, kind):
    assert kind_of(value) is kind


@pytest.mark.parametrize(
    "change", [{}, {"role": "r"}, {"note": "x"}, {"active": True}, {"unknown": [{"deep": 1}]}, {"id": "75"}]
)
def test_what_is_as_documented_has_no_deviation(change):
    assert found(GOOD | change) == []


@pytest.mark.parametrize(
    ("change", "deviation"),
    [
        ({"id": 5}, ("id", "WHOLE_NUMBER", False)),
        ({"age": "75"}, ("age", "NUMBER_IN_TEXT", True)),
        ({"age": "old"}, ("age", "TEXT", False)),
        ({"age": 130}, ("age", "OTHER_FORM", False)),
        ({"state": "open"}, ("state", "OTHER_SPELLING", True)),
        ({"state": "Ajar"}, ("state", "OTHER_FORM", False)),
        ({"tags": "a"}, ("tags", "TEXT", False)),
        ({"tags": ["a", 1, 2, "b"]}, ("tags[]", "WHOLE_NUMBER", False)),
        ({"role": {"name": "x"}}, ("role.id", "NOTHING", False)),
        ({"role": None}, ("role", "NULL", False)),
    ],
)
def test_a_deviation_names_the_field_and_what_was_found(change, deviation):
    assert found(GOOD | change) == [deviation]


def test_a_field_that_is_left_out_is_a_deviation_unless_it_is_optional():
    assert found({name: value for name, value in GOOD.items() if name not in {"note", "age"}}) == [
        ("note", "NOTHING", False)
    ]


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_another_type_of_the_whole_is_one_deviation(body):
    assert [field for field, _, _ in found(body)] == [""]


def test_the_example_is_the_types_of_the_declared_fields():
    [one] = Endpoint("GET /x", PERSON).deviations(GOOD | {"id": 5, "secret": "Ada Alder"})
    assert one.example["id"] == "a whole number"
    assert one.example["state"] == "a text"
    assert set(one.example) == set(PERSON.fields)


anything_at_all = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(PERSON.fields)) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(sorted(PERSON.fields)), anything_at_all) | anything_at_all)
@settings(max_examples=300, deadline=None)
def test_whatever_is_sent_is_compared_and_a_deviation_consists_of_declared_words(body):
    deviations = Endpoint("GET /x", PERSON).deviations(body)
    words = {kind.value for kind in Kind}
    for one in deviations:
        assert one.found in Kind
        assert set(one.example.values()) <= words
        json.dumps(one.example)
    assert len(deviations) == len({(one.field, one.found) for one in deviations})
