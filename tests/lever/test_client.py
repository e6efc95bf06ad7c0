"""Lever's dialect on the wire: wrapping, pages, ids in addresses, and what is decoded of an opportunity."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.http.errors import PlatformError
from integrations.http.session import PlatformSession
from integrations.lever.client import LeverClient, unwrap
from integrations.lever.payloads import (
    Opportunity,
    StageChange,
    dedupe_key,
    is_test_request,
    rating_option,
    template_fields,
)

API = "https://api.lever.example/v1"


class Tokens:
    """One token that always works."""

    def current(self):
        return "token"

    def renew(self, refused):
        raise PlatformError("no other token", status=401)

    def give_up(self, refused):
        raise AssertionError("there is no second try")


@pytest.fixture
def wire():
    with responses.RequestsMock() as found:
        yield found


@pytest.fixture
def lever():
    return LeverClient(PlatformSession("lever", API), Tokens())


def test_all_pages_are_read(wire, lever):
    def page(request):
        offset = parse_qs(urlsplit(request.url).query).get("offset", ["0"])[0]
        following = {"0": "a b/c", "a b/c": "2"}.get(offset)
        body = {
            "data": [{"id": offset}, "not an object"],
            "hasNext": following is not None,
            "next": following,
        }
        return 200, {}, json.dumps(body)

    wire.add_callback(responses.GET, f"{API}/stages", page)
    assert [row["id"] for row in lever.stages()] == ["0", "a b/c", "2"]


def test_a_page_that_points_to_itself_ends(wire, lever):
    wire.get(f"{API}/stages", json={"data": [{"id": "1"}], "hasNext": True, "next": "x"})
    assert len(lever.stages()) == 2


@pytest.mark.parametrize("body", [None, [], "x", {"data": {}}, {"rows": []}])
def test_a_list_that_is_none_is_an_error(wire, lever, body):
    wire.get(f"{API}/stages", json=body)
    with pytest.raises(PlatformError):
        lever.stages()


def test_filters_are_repeated_and_ids_are_quoted(wire, lever):
    wire.get(f"{API}/opportunities", json={"data": []})
    assert list(lever.opportunities(stage_id=["a", "b"], archived="false")) == []
    query = parse_qs(urlsplit(wire.calls[0].request.url).query)
    assert query == {
        "expand": ["applications"],
        "stage_id": ["a", "b"],
        "archived": ["false"],
        "limit": ["100"],
    }
    wire.get(f"{API}/opportunities/a%2F..%2Fb%3Fc", json={"data": {"id": "x"}})
    assert lever.opportunity("a/../b?c").id == "x"


@pytest.mark.parametrize("status", [400, 403])
def test_where_expanding_is_refused_the_opportunity_is_read_without(wire, lever, status):
    def answer(request):
        return (status, {}, "{}") if "expand" in request.url else (200, {}, json.dumps({"data": {"id": "x"}}))

    wire.add_callback(responses.GET, f"{API}/opportunities/x", answer)
    assert lever.opportunity("x").id == "x"


def test_applications_that_are_not_expanded_are_read_by_themselves(wire, lever):
    wire.get(f"{API}/opportunities/x", json={"data": {"id": "x", "applications": ["a"]}})
    wire.get(f"{API}/opportunities/x/applications", json={"data": [{"id": "a", "posting": "p"}]})
    assert lever.opportunity("x").posting_id == "p"


@pytest.mark.parametrize("status", [400, 403, 404])
def test_applications_that_are_not_shown_leave_the_role_unknown(wire, lever, status):
    wire.get(f"{API}/opportunities/x", json={"data": {"id": "x", "applications": ["a"]}})
    wire.get(f"{API}/opportunities/x/applications", status=status, json={"code": "x", "message": "no"})
    assert lever.opportunity("x").posting_id == ""


def test_where_expanding_is_refused_the_list_is_read_without(wire, lever):
    def answer(request):
        return (400, {}, "{}") if "expand" in request.url else (200, {}, json.dumps({"data": [{"id": "x"}]}))

    wire.add_callback(responses.GET, f"{API}/opportunities", answer)
    assert [row.id for row in lever.opportunities(stage_id="a")] == ["x"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": {"id": 1}}, {"id": 1}),
        ({"data": {"data": {"id": 1}}}, {"id": 1}),
        ({"id": 1}, {"id": 1}),
        ({"id": 1, "data": 2}, {"id": 1, "data": 2}),
        ([1], [1]),
        (None, None),
    ],
)
def test_lever_wraps_once_twice_or_not_at_all(body, expected):
    assert unwrap(body) == expected


def test_feedback_without_an_id_may_have_been_written(wire, lever):
    wire.post(f"{API}/opportunities/x/feedback", json={"data": {}})
    with pytest.raises(PlatformError) as raised:
        lever.create_feedback("x", {}, "user")
    assert raised.value.ambiguous


def test_writes_name_the_user_they_are_by(wire, lever):
    for path in ("addTags", "addLinks", "notes", "feedback"):
        wire.post(f"{API}/opportunities/x/{path}", json={"data": {"id": "new"}})
    lever.add_tags("x", ["a"], "user")
    lever.add_links("x", ["https://a.example"], "user")
    lever.add_note("x", "text", "user")
    lever.create_feedback("x", {}, "user")
    assert all(call.request.url.endswith("?perform_as=user") for call in wire.calls)
    assert all(call.request.headers["Authorization"] == "Bearer token" for call in wire.calls)


# decoding

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


def test_an_opportunity():
    found = Opportunity.from_api(WHOLE)
    assert (found.id, found.contact_id, found.stage_id, found.posting_id, found.owner_id) == (
        "o",
        "c",
        "s",
        "p",
        "u",
    )
    assert (found.name, found.emails, found.tags) == (
        "Candidate Alder",
        ("alder@candidates.example",),
        ("a",),
    )
    assert found.entered_at is not None
    assert found.entered_at.timestamp() == 1_700_000_002
    assert not found.is_archived
    assert not found.is_anonymized
    assert found.may_contact


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
    ],
)
def test_details_of_an_opportunity(changes, name, expected):
    assert getattr(Opportunity.from_api(WHOLE | changes), name) == expected


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(WHOLE)), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), anything))
@settings(max_examples=300, deadline=None)
def test_an_opportunity_of_any_shape_is_decoded(data):
    found = Opportunity.from_api(data)
    assert isinstance(found.id + found.name + found.stage_id + found.posting_id, str)


@given(st.dictionaries(st.sampled_from(["id", "event", "triggeredAt", "token", "data"]), anything))
@settings(max_examples=200, deadline=None)
def test_an_envelope_of_any_shape_is_decoded(payload):
    assert len(dedupe_key(payload)) <= 300
    assert isinstance(is_test_request(payload), bool)
    StageChange.from_payload(payload)


@given(anything, st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_a_form_of_any_shape_is_decoded(found, rating):
    form = found if isinstance(found, dict) else {"fields": found}
    for field in template_fields(form).values():
        rating_option(field, rating)


@pytest.mark.parametrize(
    ("field", "option"),
    [
        ({"type": "score"}, 3),
        ({"type": "score-system", "options": [{"text": "1 a"}, {"text": "3 b"}]}, "3 b"),
        ({"type": "score-system", "options": [{"text": text} for text in "abcd"]}, "b"),
        ({"type": "score-system", "options": [{"text": text} for text in "abc"]}, None),
        ({"type": "score-system", "options": None}, None),
    ],
)
def test_a_rating_is_said_in_the_fields_own_words(field, option):
    assert rating_option(field, 3) == option
