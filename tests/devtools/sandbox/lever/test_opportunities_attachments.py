"""Notes and files on an opportunity."""

import requests

from portal.devtools.sandbox.lever.api import opportunities
from tests.devtools.sandbox.callers import LeverCaller
from tests.devtools.sandbox.conftest import ALDER, SUPER_ADMIN


def test_a_note_is_created_and_listed(caller: LeverCaller):
    path = f"/opportunities/{ALDER}/notes"
    made = caller.post(path, {"value": "82/100"})
    assert made.status_code == 201
    note = made.json()["data"]
    assert note["noteId"] == note["id"]
    assert note["fields"][0]["value"] == "82/100"
    assert [listed["id"] for listed in caller.get(path).json()["data"]] == [note["id"]]
    assert caller.post(path, {}).status_code == 400


def test_a_file_is_uploaded_listed_and_deleted(caller: LeverCaller):
    path = f"/opportunities/{ALDER}/files"
    sent = {"file": ("report.pdf", b"%PDF-1.7 \x00\xff", "application/pdf")}
    made = caller.call("POST", path, files=sent, params={"perform_as": SUPER_ADMIN})
    assert made.status_code == 201
    file = made.json()["data"]
    assert (file["name"], file["ext"], file["size"]) == ("report.pdf", ".pdf", 11)
    listed = caller.get(path).json()
    assert (listed["data"], listed["hasNext"]) == ([file], False)
    address = f"{path}/{file['id']}"
    assert caller.call("DELETE", address, params={"perform_as": SUPER_ADMIN}).status_code == 204
    assert caller.call("DELETE", address, params={"perform_as": SUPER_ADMIN}).status_code == 404


def test_a_file_needs_an_author_and_a_part_of_its_name(caller: LeverCaller):
    path = f"/opportunities/{ALDER}/files"
    sent = {"file": ("report.pdf", b"%PDF-1.7", "application/pdf")}
    assert caller.call("POST", path, files=sent).status_code == 400
    assert caller.call("POST", path, params={"perform_as": SUPER_ADMIN}).status_code == 400


def test_a_file_that_is_too_large_is_refused(caller: LeverCaller, monkeypatch):
    monkeypatch.setattr(opportunities, "MAX_FILE", 4)
    sent = {"file": ("report.pdf", b"%PDF-1.7", "application/pdf")}
    made = caller.call(
        "POST", f"/opportunities/{ALDER}/files", files=sent, params={"perform_as": SUPER_ADMIN}
    )
    assert made.status_code == 413


def test_the_profile_offers_the_file(caller: LeverCaller, lever):
    sent = {"file": ("report.pdf", b"%PDF-1.7", "application/pdf")}
    path = f"/opportunities/{ALDER}/files"
    file = caller.call("POST", path, files=sent, params={"perform_as": SUPER_ADMIN}).json()["data"]
    page = f"{lever.url}/acme/candidates/{ALDER}"
    address = f"{page}/files/{file['id']}"
    assert f"/acme/candidates/{ALDER}/files/{file['id']}" in requests.get(page, timeout=60).text
    assert requests.get(address, timeout=60).content == b"%PDF-1.7"
    assert requests.get(f"{page}/files/nothing", timeout=60).status_code == 404
