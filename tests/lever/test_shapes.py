"""What Lever sends, compared with its documentation."""

import pytest

from integrations.lever import shapes
from tests.support import payloads

OPPORTUNITY = {
    "id": "o1",
    "name": "Ada Alder",
    "contact": "k1",
    "stage": "s1",
    "stageChanges": [{"toStageId": "s1", "toStageIndex": 4, "updatedAt": 1782974004990}],
    "emails": ["ada@candidates.example"],
    "links": [],
    "archived": None,
    "tags": ["CodeScreen Backend"],
    "owner": None,
    "applications": ["a1"],
    "urls": {"list": "https://hire.lever.example", "show": "https://hire.lever.example/o1"},
    "dataProtection": {"store": None, "contact": {"allowed": False, "expiresAt": None}},
    "isAnonymized": False,
}
EXPANDED = {
    "applications": [{"id": "a1", "posting": "p1", "timezone": "Europe/Berlin"}],
    "contact": {"id": "k1"},
}
FORM = {
    "id": "f1",
    "text": "CodeScreen Assessment",
    "instructions": "",
    "fields": [
        {"id": "1", "type": "score-system", "text": "Rating", "options": [{"text": "4 - Yes"}], "value": None}
    ],
    "deletedAt": 1782974327197,
}


def found(endpoint, body):
    return [(one.field, one.found.name) for one in endpoint.deviations(body)]


@pytest.mark.parametrize("change", [{}, EXPANDED, {"dataProtection": None, "archived": {"reason": "r"}}])
@pytest.mark.parametrize("wraps", [0, 1, 2])
def test_a_documented_opportunity_has_no_deviation_however_it_is_wrapped(change, wraps):
    body = OPPORTUNITY | change
    for _ in range(wraps):
        body = {"data": body}
    assert found(shapes.OPPORTUNITY, body) == []


@pytest.mark.parametrize(
    ("change", "deviation"),
    [
        ({"emails": "ada@candidates.example"}, ("emails", "TEXT")),
        ({"emails": [{"value": "ada@candidates.example"}]}, ("emails[]", "OBJECT")),
        ({"archived": True}, ("archived", "BOOLEAN")),
        (
            {"stageChanges": [{"toStageId": "s1", "updatedAt": "2027-01-01"}]},
            ("stageChanges[].updatedAt", "TEXT"),
        ),
        ({"dataProtection": {"contact": {"allowed": "no"}}}, ("dataProtection.contact.allowed", "TEXT")),
        ({"applications": [{"posting": 5}]}, ("applications[].posting", "WHOLE_NUMBER")),
    ],
)
def test_an_opportunity_that_differs_is_found_in_a_list_too(change, deviation):
    assert found(shapes.OPPORTUNITY, {"data": OPPORTUNITY | change}) == [deviation]
    field, kind = deviation
    page = {"data": [OPPORTUNITY, OPPORTUNITY | change], "hasNext": False}
    assert found(shapes.OPPORTUNITIES, page) == [(f"data[].{field}", kind)]


def test_a_list_that_hides_its_next_page_is_found():
    assert found(shapes.STAGES, {"data": [], "hasNext": True, "next": "%5B1%5D"}) == []
    assert found(shapes.STAGES, {"data": [], "hasNext": True}) == [("", "OTHER_FORM")]
    assert found(shapes.WEBHOOKS, {"data": []}) == []


def test_files_are_documented_as_a_list_without_its_wrapper():
    file = {
        "id": "f1",
        "ext": ".pdf",
        "name": "Article.pdf",
        "uploadedAt": "1468953420000",
        "status": "processed",
    }
    assert found(shapes.FILES, [file]) == []
    assert found(shapes.FILES, {"data": [file], "hasNext": False}) == []
    assert found(shapes.FILES, [{**file, "name": None}]) == [("data[].name", "NULL")]
    assert found(shapes.STAGES, []) == [("", "LIST")]


def test_a_new_note_is_documented_with_its_id_under_either_name():
    assert found(shapes.ADD_NOTE, {"data": {"noteId": "n1"}}) == []
    assert found(shapes.ADD_NOTE, {"data": {"id": "n1", "text": "Hi"}}) == []
    assert found(shapes.ADD_NOTE, {"data": {"text": "Hi"}}) == [("", "OTHER_FORM")]
    assert ("id", "WHOLE_NUMBER") in found(shapes.ADD_NOTE, {"data": {"id": 5}})


def test_a_deleted_form_has_the_documented_shape():
    assert found(shapes.FEEDBACK_LIST, {"data": [FORM], "hasNext": False}) == []
    assert found(shapes.FEEDBACK, {"data": FORM | {"fields": None}}) == [("fields", "NULL")]


def test_a_token_answer_that_differs_is_found():
    tokens = {
        "access_token": "a",
        "refresh_token": "r",
        "expires_in": 3600,
        "scope": "s",
        "token_type": "Bearer",
    }
    assert found(shapes.TOKEN, tokens) == []
    assert found(shapes.TOKEN, tokens | {"expires_in": None}) == [("expires_in", "NULL")]


def test_a_webhook_that_differs_is_found_by_its_event():
    change = payloads.load("lever/candidate_stage_change")
    assert found(shapes.webhook(change), change) == []
    without_stage = change | {"data": {"opportunityId": "o1"}}
    assert found(shapes.webhook(without_stage), without_stage) == [("data.toStageId", "NOTHING")]
    test_request = payloads.load("lever/verify_connection")
    assert found(shapes.webhook(test_request), test_request) == []
    hired = change | {"event": "candidateHired", "data": {"opportunityId": "o1"}}
    assert found(shapes.webhook(hired), hired) == []
