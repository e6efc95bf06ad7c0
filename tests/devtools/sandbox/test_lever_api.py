from urllib.parse import unquote

from portal.devtools.sandbox.ids import stable_id
from portal.devtools.sandbox.lever import LeverSandbox
from tests.devtools.sandbox.callers import LeverCaller, control
from tests.devtools.sandbox.conftest import ALDER, ASSESSMENT_STAGE, FORMER, SUPER_ADMIN


def test_pages_of_opportunities_follow_opaque_tokens(lever: LeverSandbox, caller: LeverCaller):
    control(
        lever, "accounts", {"account": "acme", "keep": True, "generate": {"count": 250, "prefix": "Bulk"}}
    )
    seen: list[str] = []
    offset = ""
    while True:
        answer = caller.get("/opportunities", limit=60, **({"offset": offset} if offset else {})).json()
        seen += [item["id"] for item in answer["data"]]
        assert ("next" in answer) == answer["hasNext"]
        if not answer["hasNext"]:
            break
        offset = answer["next"]
        assert offset != unquote(offset)
    assert len(seen) == len(set(seen)) == 250 + 23  # the confidential one isn't listed


def test_bad_limits_and_tokens_are_400(caller: LeverCaller):
    assert caller.get("/opportunities", limit=0).status_code == 400
    assert caller.get("/opportunities", limit=101).status_code == 400
    bad = caller.get("/opportunities", offset="nonsense")
    assert (bad.status_code, bad.json()["message"]) == (400, "Invalid offset token")


def test_filters(caller: LeverCaller):
    def names(**params: object) -> set[str]:
        return {item["name"] for item in caller.get("/opportunities", **params).json()["data"]}

    assert names(email="OAK@candidates.example") == {"Candidate Oak"}
    assert names(contact_id=stable_id("acme", "contact", "Tamarack")) == {"Candidate Tamarack"}
    assert "Candidate Pine" in names(archived="true")
    assert names(stage_id="lead-new") == {"Candidate Upas"}
    assert names(tag="codescreen backend") == set()
    assert "Candidate Alder" in names(tag="CodeScreen Backend")
    assert names(updated_at_start=1, updated_at_end=2) == set()
    assert caller.get("/opportunities", confidentiality="all").status_code == 403


def test_expand_include_and_what_cannot_be_expanded(caller: LeverCaller):
    one = caller.get(f"/opportunities/{ALDER}", expand=["applications", "stage", "contact", "owner"]).json()[
        "data"
    ]
    assert one["applications"][0]["posting"] == stable_id("acme", "posting", "Backend Engineer")
    assert one["stage"] == {"id": "applicant-new", "text": "New applicant"}
    assert set(caller.get(f"/opportunities/{ALDER}", include="tags").json()["data"]) == {"id", "tags"}
    refused = caller.get(f"/opportunities/{ALDER}", expand="posting")
    assert (refused.status_code, refused.json()["message"]) == (400, "posting is not expandable")


def test_missing_scopes_are_403_and_missing_tokens_401(lever: LeverSandbox):
    narrow = LeverCaller(lever).connect("stages:read:admin")
    assert narrow.get("/stages").status_code == 200
    assert narrow.get("/tags").json()["code"] == "Forbidden"
    assert narrow.post(f"/opportunities/{ALDER}/addTags", {"tags": ["x"]}).status_code == 403
    assert LeverCaller(lever).get("/stages").status_code == 401


def test_confidential_opportunities_need_their_scope(lever: LeverSandbox, caller: LeverCaller):
    quince = stable_id("acme", "opportunity", "Quince")
    assert caller.get(f"/opportunities/{quince}").status_code == 403
    cleared = LeverCaller(lever).connect("opportunities:read:admin confidential:access:admin")
    assert cleared.get(f"/opportunities/{quince}").status_code == 200


def test_the_rate_limit_is_a_bucket_per_account(lever: LeverSandbox, caller: LeverCaller):
    control(lever, "settings", {"account": "acme", "rate_limit": 1, "retry_after": True})
    answers = [caller.get("/stages") for _ in range(25)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert len(limited) >= 4
    assert int(limited[0].headers["Retry-After"]) >= 1
    books = control(lever, "ledger?account=acme", method="GET")["accounts"]["acme"]
    assert books["rate_limited"] == len(limited)
    assert LeverCaller(lever, "globex").connect().get("/stages").status_code == 200


def test_write_answers_hide_the_contact(caller: LeverCaller):
    moved = caller.put(f"/opportunities/{ALDER}/stage", {"stage": ASSESSMENT_STAGE}).json()["data"]
    tagged = caller.post(f"/opportunities/{ALDER}/addTags", {"tags": ["a", "b", "a"]}).json()["data"]
    for shape in (moved, tagged):
        assert (shape["name"], shape["emails"], shape["links"]) == ("", [], [])
        assert "opportunityLocation" not in shape
    assert tagged["tags"].count("a") == 1
    linked = caller.post(f"/opportunities/{ALDER}/addLinks", {"links": ["https://report.example/1"]}).json()
    assert linked["data"]["name"] == "Candidate Alder"
    assert {"text": "a", "count": 1} in caller.get("/tags").json()["data"]
    caller.post(f"/opportunities/{ALDER}/removeTags", {"tags": ["a", "never there"]})
    assert "a" not in [tag["text"] for tag in caller.get("/tags").json()["data"]]


def test_a_link_shows_on_every_opportunity_of_the_person(caller: LeverCaller):
    one, other = (stable_id("acme", "opportunity", word) for word in ("Tamarack", "Tamarack again"))
    caller.post(f"/opportunities/{one}/addLinks", {"links": ["https://report.example/2"]})
    assert caller.get(f"/opportunities/{other}").json()["data"]["links"] == ["https://report.example/2"]


def test_unknown_things_are_404(caller: LeverCaller):
    missing = caller.get("/opportunities/nobody")
    assert (missing.status_code, missing.json()) == (
        404,
        {"code": "ResourceNotFound", "message": "opportunities nobody was not found"},
    )
    assert caller.get("/nothing").status_code == 404


def test_unknown_api_paths_are_json_404_where_a_page_has_the_same_name(caller: LeverCaller):
    assert caller.get("/candidates").json()["code"] == "ResourceNotFound"


def test_notes(caller: LeverCaller):
    path = f"/opportunities/{ALDER}/notes"
    made = caller.post(path, {"value": "82/100"})
    assert made.status_code == 201
    note = made.json()["data"]
    assert note["noteId"] == note["id"]
    assert note["fields"][0]["value"] == "82/100"
    assert caller.put(f"{path}/{note['id']}", {"values": [{"value": "83/100"}]}).json()["data"] == {
        "noteId": note["id"]
    }
    assert caller.get(f"{path}/{note['id']}").json()["data"]["fields"][0]["value"] == "83/100"
    assert caller.call("DELETE", f"{path}/{note['id']}").status_code == 204
    assert caller.get(path).json()["data"] == []
    assert caller.post(path, {}).status_code == 400


def test_perform_as(lever: LeverSandbox, caller: LeverCaller):
    note = {"value": "hello"}
    path = f"/opportunities/{ALDER}/notes"
    assert caller.post(path, note, perform_as="nobody").status_code == 400
    assert caller.post(path, note, perform_as=FORMER).status_code == 201
    control(lever, "settings", {"account": "acme", "strict_perform_as": True})
    assert caller.post(path, note).status_code == 400
    assert caller.post(path, note, perform_as=FORMER).status_code == 400
    assert caller.post(path, note, perform_as=SUPER_ADMIN).status_code == 201


def test_creating_an_opportunity_finds_the_contact_by_address(caller: LeverCaller):
    body = {
        "name": "Again",
        "emails": ["ALDER@candidates.example"],
        "postings": [stable_id("acme", "posting", "Frontend Engineer")],
    }
    assert caller.post("/opportunities", body).status_code == 400
    made = caller.post("/opportunities", body, perform_as=SUPER_ADMIN)
    assert (made.status_code, made.json()["deduped"]) == (201, True)
    assert "CodeScreen Frontend Developer" in made.json()["data"]["tags"]
    assert "Berlin" in made.json()["data"]["tags"]


def test_files(caller: LeverCaller):
    path = f"/opportunities/{ALDER}/files"
    sent = {"file": ("report.pdf", b"%PDF-1.7 \x00\xff", "application/pdf")}
    made = caller.call("POST", path, files=sent, params={"perform_as": SUPER_ADMIN})
    assert made.status_code == 201
    file = made.json()["data"]
    assert (file["name"], file["ext"], file["size"]) == ("report.pdf", ".pdf", 11)
    assert caller.get(f"{path}/{file['id']}/download").content == b"%PDF-1.7 \x00\xff"
    assert (
        caller.call("DELETE", f"{path}/{file['id']}", params={"perform_as": SUPER_ADMIN}).status_code == 204
    )


def test_lookups(caller: LeverCaller):
    stages = [stage["text"] for stage in caller.get("/stages").json()["data"]]
    assert stages[0] == "New lead"
    assert stages[-1] == "Offer"
    assert len(caller.get("/users").json()["data"]) == 3
    assert len(caller.get("/users", includeDeactivated="true").json()["data"]) == 4
    assert [reason["text"] for reason in caller.get("/archive_reasons", type="hired").json()["data"]] == [
        "Hired"
    ]
    postings = {posting["text"]: posting["tags"] for posting in caller.get("/postings").json()["data"]}
    assert postings["Data Engineer"] == ["CodeScreen Data Enginer"]
    assert "Principal Engineer" not in postings
