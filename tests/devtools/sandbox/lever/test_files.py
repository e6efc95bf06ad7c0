from tests.devtools.sandbox.callers import LeverCaller
from tests.devtools.sandbox.conftest import ALDER, SUPER_ADMIN


def test_a_file_is_uploaded_downloaded_and_deleted(caller: LeverCaller):
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
