"""The pretend platforms of the benchmarks: what they answer is what the portal's clients read."""

import pytest

from integrations.codescreen.payloads import instance_id_in, listed_assessment
from integrations.lever.lookups import LeverUser, PipelineStage, Posting
from integrations.lever.payloads import Opportunity, json_object, texts
from integrations.lever.transport import unwrap
from portal.devtools.benchmarks.pretend_platforms import TRIGGER_STAGE, answer_to


@pytest.mark.parametrize(
    ("name", "kind"), [("stages", PipelineStage), ("postings", Posting), ("users", LeverUser)]
)
def test_a_list_is_read_whole(name, kind):
    answer = json_object(answer_to("GET", f"/v1/{name}"))
    rows = [kind.from_api(row) for row in answer["data"]]
    assert rows
    assert all(row.id for row in rows)
    assert not answer["hasNext"]


def test_one_of_each_is_read_by_its_id():
    assert Posting.from_api(json_object(unwrap(answer_to("GET", "/v1/postings/role-3")))).id == "role-3"
    assert LeverUser.from_api(json_object(unwrap(answer_to("GET", "/v1/users/author")))).is_active


def test_the_tags_after_a_change_are_read():
    answer = json_object(unwrap(answer_to("POST", "/v1/opportunities/abc/addTags")))
    assert texts(answer["tags"]) == ("CodeScreen: Candidate Invited",)


def test_assessments_and_a_new_instance_are_read():
    rows = answer_to("GET", "/api/assessments")
    assert isinstance(rows, list)
    assert all(listed_assessment(row).name for row in rows)
    assert instance_id_in(answer_to("POST", "/api/assessments"))


def test_a_candidate_is_in_the_trigger_stage_with_an_address():
    answer = answer_to("GET", "/v1/opportunities/abc")
    assert isinstance(answer, dict)
    opportunity = Opportunity.from_api(answer["data"])
    assert (opportunity.id, opportunity.stage_id) == ("abc", TRIGGER_STAGE)
    assert opportunity.emails == ("abc@example.com",)


def test_every_invitation_has_an_instance_of_its_own():
    answers = [answer_to("POST", "/api/assessments") for _ in range(3)]
    assert len({str(answer) for answer in answers}) == 3


def test_an_unknown_path_has_no_answer():
    assert answer_to("GET", "/v1/nothing") is None
