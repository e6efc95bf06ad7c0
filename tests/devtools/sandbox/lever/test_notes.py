from tests.devtools.sandbox.callers import LeverCaller
from tests.devtools.sandbox.conftest import ALDER


def test_a_note_is_created_changed_and_deleted(caller: LeverCaller):
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
