from portal.devtools.sandbox.lever.server import LeverSandbox
from portal.devtools.sandbox.values import stable_id
from tests.devtools.sandbox.callers import LeverCaller
from tests.devtools.sandbox.conftest import ALDER, ASSESSMENT_STAGE


def test_each_filter_narrows_the_list(caller: LeverCaller):
    def names(**params: object) -> set[str]:
        return {item["name"] for item in caller.get("/opportunities", **params).json()["data"]}

    assert names(email="OAK@candidates.example") == {"Candidate Oak"}
    assert "Candidate Pine" in names(archived="true")
    assert names(stage_id="lead-new") == {"Candidate Upas"}
    assert names(updated_at_start=1, updated_at_end=2) == set()


def test_what_is_confidential_is_read_with_its_scope_and_never_listed(lever: LeverSandbox):
    cleared = LeverCaller(lever).connect(
        "opportunities:read:admin postings:read:admin confidential:access:admin"
    )
    quince = cleared.get(f"/opportunities/{stable_id('acme', 'opportunity', 'Quince')}").json()["data"]
    listed = cleared.get("/opportunities", email=quince["emails"][0]).json()["data"]
    assert (quince["confidentiality"], listed) == ("confidential", [])
    postings = cleared.get("/postings").json()["data"]
    assert {posting["confidentiality"] for posting in postings} == {"non-confidential"}


def test_most_writes_answer_without_the_contact(caller: LeverCaller):
    moved = caller.put(f"/opportunities/{ALDER}/stage", {"stage": ASSESSMENT_STAGE}).json()["data"]
    tagged = caller.post(f"/opportunities/{ALDER}/addTags", {"tags": ["a", "b", "a"]}).json()["data"]
    for shape in (moved, tagged):
        assert (shape["name"], shape["emails"], shape["links"]) == ("", [], [])
    assert tagged["tags"].count("a") == 1
    linked = caller.post(f"/opportunities/{ALDER}/addLinks", {"links": ["https://report.example/1"]}).json()
    assert linked["data"]["name"] == "Candidate Alder"
    untagged = caller.post(f"/opportunities/{ALDER}/removeTags", {"tags": ["a", "never there"]}).json()[
        "data"
    ]
    assert (untagged["tags"].count("a"), untagged["tags"].count("b")) == (0, 1)


def test_reads_show_the_stage_from_before_while_they_lag(lever: LeverSandbox, caller: LeverCaller):
    path, account = f"/opportunities/{ALDER}", lever.accounts["acme"]
    before = caller.get(path).json()["data"]
    account.settings.read_lag = 60.0
    moved = caller.put(f"{path}/stage", {"stage": ASSESSMENT_STAGE}).json()["data"]
    assert moved["stage"] == ASSESSMENT_STAGE

    def is_listed(stage: str) -> bool:
        listed = caller.get("/opportunities", stage_id=stage).json()["data"]
        return ALDER in {one["id"] for one in listed}

    read = caller.get(path).json()["data"]
    assert (read["stage"], read["stageChanges"]) == (before["stage"], before["stageChanges"])
    assert (is_listed(before["stage"]), is_listed(ASSESSMENT_STAGE)) == (True, False)
    account.opportunities[ALDER].stage_changes[-1]["updatedAt"] -= 60_000
    assert caller.get(path).json()["data"]["stage"] == ASSESSMENT_STAGE
    assert (is_listed(before["stage"]), is_listed(ASSESSMENT_STAGE)) == (False, True)


def test_a_link_shows_on_every_opportunity_of_its_contact(caller: LeverCaller):
    one, other = (stable_id("acme", "opportunity", word) for word in ("Tamarack", "Tamarack again"))
    caller.post(f"/opportunities/{one}/addLinks", {"links": ["https://report.example/2"]})
    assert caller.get(f"/opportunities/{other}").json()["data"]["links"] == ["https://report.example/2"]
