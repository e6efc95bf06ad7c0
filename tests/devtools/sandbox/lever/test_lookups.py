from tests.devtools.sandbox.callers import LeverCaller


def test_lookups_list_stages_users_and_postings(caller: LeverCaller):
    stages = [stage["text"] for stage in caller.get("/stages").json()["data"]]
    assert stages[0] == "New lead"
    assert stages[-1] == "Offer"
    assert len(caller.get("/users").json()["data"]) == 6
    assert len(caller.get("/users", includeDeactivated="true").json()["data"]) == 8
    postings = {posting["text"]: posting["tags"] for posting in caller.get("/postings").json()["data"]}
    assert postings["Data Engineer"] == ["CodeScreen Data Enginer"]
    assert "Principal Engineer" not in postings
