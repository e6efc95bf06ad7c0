"""What Lever answers and sends is decoded leniently: opportunities, webhooks, feedback, and what is looked up."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.core.vocabulary import Category
from integrations.lever.lookups import LeverUser, PipelineStage, Posting, RegisteredWebhook
from integrations.lever.payloads import (
    FeedbackForm,
    FormField,
    Opportunity,
    StageChange,
    dedupe_key,
    is_test_request,
)
from tests.lever.shapes import any_json

WHOLE = {
    "id": "o",
    "contact": {"id": "c", "name": "expanded"},
    "name": "  Candidate Alder ",
    "emails": [" alder@candidates.example ", "", 5, None],
    "stage": {"id": "s", "text": "expanded"},
    "applications": [None, {"posting": None}, {"posting": {"id": "p"}}, {"posting": "q"}],
    "tags": ["a", 5, None],
    "links": ["https://a.example"],
    "archived": None,
    "isAnonymized": False,
    "dataProtection": {"contact": {"allowed": True}},
    "owner": "u",
    "urls": {"show": "https://lever.example/o"},
    "stageChanges": [
        {"toStageId": "s", "updatedAt": 1_700_000_000_000},
        {"toStageId": "t", "updatedAt": 1_700_000_001_000},
        {"toStageId": "s", "updatedAt": 1_700_000_002_000},
    ],
    "of tomorrow": {},
}


def test_an_opportunity_is_decoded():
    opportunity = Opportunity.from_api(WHOLE)
    assert (opportunity.id, opportunity.contact_id, opportunity.owner_id) == ("o", "c", "u")
    assert (opportunity.stage_id, opportunity.posting_id) == ("s", "p")
    assert opportunity.name == "Candidate Alder"
    assert opportunity.emails == ("alder@candidates.example",)
    assert opportunity.tags == ("a",)
    assert opportunity.entered_at is not None
    assert opportunity.entered_at.timestamp() == 1_700_000_002
    assert not opportunity.is_archived
    assert not opportunity.is_anonymized
    assert opportunity.may_contact


@pytest.mark.parametrize(
    ("since", "until", "stages"),
    [(1, 2, set()), (1, 4, {"a"}), (4, 4, {"a"}), (4, 7, {"a", "b"}), (8, 9, {"b"}), (20, 30, {"c"})],
)
def test_the_history_says_in_which_stages_an_opportunity_was(since, until, stages):
    history = [("b", 6), ("a", 3), ("c", 10)]  # in any order
    changes = [{"toStageId": stage, "updatedAt": at * 1000} for stage, at in history]
    opportunity = Opportunity.from_api(WHOLE | {"stageChanges": changes})
    times = (datetime.fromtimestamp(seconds, UTC) for seconds in (since, until))
    assert opportunity.stages_between(*times) == stages


@pytest.mark.parametrize(
    ("changes", "name", "expected"),
    [
        ({"archived": {"archivedAt": 1, "reason": "r"}}, "is_archived", True),
        ({"deletedAt": 1}, "is_archived", True),
        ({"isAnonymized": True}, "is_anonymized", True),
        ({"isAnonymized": "yes"}, "is_anonymized", False),
        ({"dataProtection": None}, "may_contact", True),
        ({"dataProtection": {"contact": None}}, "may_contact", True),
        ({"dataProtection": {"contact": {"allowed": False}}}, "may_contact", False),
        ({"stageChanges": []}, "entered_at", None),
        ({"stageChanges": [{"toStageId": "other", "updatedAt": 1}]}, "entered_at", None),
        ({"stageChanges": [{"toStageId": "s", "updatedAt": "1"}]}, "entered_at", None),
        ({"stageChanges": [{"toStageId": "s", "updatedAt": 10**30}]}, "entered_at", None),
        ({"applications": ["an id"]}, "posting_id", ""),
        ({"origin": "agency"}, "origin", "agency"),
        ({"origin": "of tomorrow"}, "origin", "of tomorrow"),
        ({"origin": None}, "origin", ""),
        ({"origin": {"name": "agency"}}, "origin", ""),
    ],
)
def test_an_opportunity_when_one_field_differs(changes, name, expected):
    assert getattr(Opportunity.from_api(WHOLE | changes), name) == expected


@pytest.mark.parametrize(
    ("changed", "is_ahead"),
    [
        ({}, True),
        ({"triggeredAt": 1_700_000_002_000}, True),
        ({"triggeredAt": 1_700_000_001_999}, False),  # it was moved back since
        ({"triggeredAt": None}, False),
        ({"triggeredAt": "1700000003000"}, False),
        ({"fromStageId": "t"}, False),
        ({"fromStageId": None}, False),
        ({"fromStageId": ""}, False),
        ({"toStageId": "s"}, False),
    ],
)
def test_a_stage_change_is_ahead_of_an_opportunity_that_stands_where_it_left_from(changed, is_ahead):
    sent = {"triggeredAt": 1_700_000_003_000, "fromStageId": "s", "toStageId": "t"} | changed
    change = StageChange.from_payload({"triggeredAt": sent["triggeredAt"], "data": sent})
    assert change.is_ahead_of(Opportunity.from_api(WHOLE)) is is_ahead


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), any_json(*WHOLE)))
@settings(max_examples=150, deadline=None)
def test_an_opportunity_of_any_shape_is_decoded(data):
    opportunity = Opportunity.from_api(data)
    assert isinstance(opportunity.id + opportunity.name + opportunity.stage_id + opportunity.posting_id, str)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(["id", "event", "triggeredAt", "token", "data"]), any_json(*WHOLE)))
@settings(max_examples=100, deadline=None)
def test_an_envelope_of_any_shape_is_decoded(payload):
    assert len(dedupe_key(payload)) <= 300
    assert isinstance(is_test_request(payload), bool)
    StageChange.from_payload(payload)


# feedback templates and forms, which are rated in the words of their own options


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


# stages, postings, users, webhooks and notes


KEYS = [
    "id",
    "text",
    "state",
    "tags",
    "categories",
    "deactivatedAt",
    "accessRole",
    "event",
    "url",
    "configuration",
    "fields",
]


@pytest.mark.slow
@given(data=st.dictionaries(st.sampled_from(KEYS), any_json(*KEYS, "value")))
@settings(max_examples=100, deadline=None)
def test_a_row_of_any_shape_is_decoded(data):
    for row in (PipelineStage, Posting, LeverUser, RegisteredWebhook):
        assert isinstance(row.from_api(data), row)


def test_a_postings_categories_hold_all_its_locations_once():
    categories = {
        "department": "R&D",
        "team": " Engine\nering ",
        "location": "Berlin",
        "allLocations": ["Berlin", "Paris", 5],
        "level": None,
        "commitment": "",
    }
    posting = Posting.from_api({"id": "p", "categories": categories})
    assert posting.categories == {
        Category.DEPARTMENT: ("R&D",),
        Category.TEAM: ("Engine ering",),
        Category.LOCATION: ("Berlin", "Paris"),
    }
    assert Posting.from_api({"id": "p", "categories": None}).categories == {}
