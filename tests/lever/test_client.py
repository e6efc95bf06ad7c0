"""LeverClient on the wire: the `data` wrapper, paging, quoted ids, and reads that the grant doesn't allow."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from integrations.http.session import PlatformError, PlatformSession
from integrations.lever.client import LeverClient
from integrations.lever.transport import bearer
from tests.support.recorded import UPLOAD

API = "https://api.lever.example/v1"


class Tokens:
    """A token source whose one token always works."""

    def current(self):
        return bearer("token")

    def renew(self, refused):
        raise PlatformError("no other token", status=401)

    def give_up(self, refused):
        raise AssertionError("no call is refused twice here")


@pytest.fixture
def lever():
    return LeverClient(PlatformSession("lever", API), Tokens())


def test_a_list_is_read_page_by_page(wire, lever):
    def page(request):
        offset = parse_qs(urlsplit(request.url).query).get("offset", ["0"])[0]
        next_offset = {"0": "a b/c", "a b/c": "2"}.get(offset)
        body = {
            "data": [{"id": offset}, "not an object"],
            "hasNext": next_offset is not None,
            "next": next_offset,
        }
        return 200, {}, json.dumps(body)

    wire.add_callback(responses.GET, f"{API}/stages", page)
    assert [stage.id for stage in lever.stages()] == ["0", "a b/c", "2"]


@pytest.mark.parametrize("next_page", [{}, {"next": None}, {"next": ""}, {"next": 7}, {"next": "x"}])
def test_a_list_whose_next_page_lever_does_not_name_is_an_error(wire, lever, next_page):
    """The last one points to itself."""
    wire.get(f"{API}/stages", json={"data": [{"id": "1"}], "hasNext": True, **next_page})
    with pytest.raises(PlatformError, match="next page"):
        lever.stages()


@pytest.mark.parametrize("body", [None, [], "x", {"data": {}}, {"rows": []}])
def test_an_answer_without_a_list_is_an_error(wire, lever, body):
    wire.get(f"{API}/stages", json=body)
    with pytest.raises(PlatformError):
        lever.stages()


def test_filters_are_repeated_and_ids_are_quoted(wire, lever):
    wire.get(f"{API}/opportunities", json={"data": []})
    assert list(lever.opportunities(stage_id=["a", "b"], archived="false")) == []
    query = parse_qs(urlsplit(wire.calls[0].request.url).query)
    assert query == {
        "expand": ["applications", "owner", "followers"],
        "stage_id": ["a", "b"],
        "archived": ["false"],
        "limit": ["100"],
    }
    wire.get(f"{API}/opportunities/a%2F..%2Fb%3Fc", json={"data": {"id": "x"}})
    assert lever.opportunity("a/../b?c").id == "x"


@pytest.mark.parametrize("status", [400, 403, 404])
def test_the_posting_is_empty_when_the_grant_does_not_show_applications(wire, lever, status):
    wire.get(f"{API}/opportunities/x", json={"data": {"id": "x", "applications": ["a"]}})
    wire.get(f"{API}/opportunities/x/applications", status=status, json={"code": "x", "message": "no"})
    assert lever.opportunity("x").posting_id == ""


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize(("refused", "posting"), [("expand=owner", "p"), ("expand", "")])
def test_what_lever_does_not_expand_by_this_grant_is_left_out(wire, lever, status, refused, posting):
    row = {"id": "x", "applications": [{"posting": "p"}] if posting else []}

    def answer(data):
        def answer(request):
            return (status, {}, "{}") if refused in request.url else (200, {}, json.dumps({"data": data}))

        return answer

    wire.add_callback(responses.GET, f"{API}/opportunities/x", answer(row))
    wire.add_callback(responses.GET, f"{API}/opportunities", answer([row]))
    assert lever.opportunity("x").posting_id == posting
    assert [one.posting_id for one in lever.opportunities()] == [posting]


@pytest.mark.parametrize(
    ("path", "write"),
    [
        ("feedback", lambda lever: lever.create_feedback("x", {}, "user")),
        ("files", lambda lever: lever.upload_file("x", UPLOAD, "user")),
    ],
)
def test_a_write_is_ambiguous_when_the_answer_has_no_id(wire, lever, path, write):
    wire.post(f"{API}/opportunities/x/{path}", json={"data": {"name": "report.pdf"}}, status=201)
    with pytest.raises(PlatformError) as raised:
        write(lever)
    assert raised.value.ambiguous
