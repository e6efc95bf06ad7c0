"""Stages, postings, users, webhooks and notes are decoded leniently."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.core.vocabulary import Category
from integrations.lever.lookups import LeverUser, PipelineStage, Posting, RegisteredWebhook
from tests.lever.shapes import any_json

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


def test_a_user_is_inactive_when_it_was_deactivated():
    assert LeverUser.from_api({"id": "u", "accessRole": "super admin"}) == LeverUser("u", True, "super admin")
    assert not LeverUser.from_api({"id": "u", "deactivatedAt": 1_700_000_000_000}).is_active


def test_a_webhooks_signature_token_is_in_its_configuration():
    data = {"id": "w", "event": "e", "url": "https://a.example", "configuration": {"signatureToken": "s"}}
    assert RegisteredWebhook.from_api(data) == RegisteredWebhook("w", "e", "https://a.example", "s")


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
