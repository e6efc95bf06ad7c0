"""Notes and files on an opportunity."""

from portal.devtools.sandbox.lever.api import opportunities
from tests.devtools.sandbox.callers import LeverCaller
from tests.devtools.sandbox.conftest import ALDER, SUPER_ADMIN


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
