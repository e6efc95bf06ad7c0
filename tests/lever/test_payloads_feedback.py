"""Feedback templates and forms are decoded leniently, and rated in the words of their own options."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.lever.payloads import FeedbackForm, FormField
from tests.lever.shapes import any_json


@given(any_json("id", "type", "text", "options", "fields"), st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_a_form_of_any_shape_is_decoded(data, rating):
    form = data if isinstance(data, dict) else {"fields": data}
    for field in FeedbackForm.from_api(form).fields:
        field.rating_value(rating)


@pytest.mark.parametrize(
    ("field", "option"),
    [
        ({"type": "score"}, 3),
        ({"type": "score", "options": [{"text": "4 - Strong Hire"}, {"text": "3 - Hire"}]}, "3 - Hire"),
        ({"type": "score-system", "options": [{"text": "1 a"}, {"text": "3 b"}]}, "3 b"),
        ({"type": "score-system", "options": [{"text": text} for text in "abcd"]}, "b"),
        ({"type": "score-system", "options": [{"text": text} for text in "abc"]}, None),
        ({"type": "score-system", "options": None}, None),
    ],
)
def test_rating_value_is_in_the_words_of_the_fields_own_options(field, option):
    assert FormField.from_api(field).rating_value(3) == option


SYSTEM = {"id": "a", "type": "score-system", "text": "Rating", "options": [{"text": "3 - Hire"}]}
TYPED_SCORE = SYSTEM | {"id": "b", "type": "score", "text": "Overall"}
BARE_SCORE = {"id": "c", "type": "score", "text": "Communication"}
CHOICE = SYSTEM | {"id": "d", "type": "dropdown", "text": "Level"}


@pytest.mark.parametrize(
    ("fields", "rated"),
    [
        ([BARE_SCORE, SYSTEM, CHOICE], ["a"]),
        ([BARE_SCORE, TYPED_SCORE], ["b"]),
        ([BARE_SCORE], ["c"]),
        ([CHOICE], []),
    ],
)
def test_the_rating_goes_into_the_field_with_options(fields, rated):
    form = FeedbackForm.from_api({"fields": fields})
    assert [field.id for field in form.rating_fields] == rated
