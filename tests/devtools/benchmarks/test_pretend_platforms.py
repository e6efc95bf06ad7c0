"""The pretend platforms of the benchmarks: what they answer is what the portal's clients read."""

import pytest

from integrations.lever.lookups import LeverUser, PipelineStage, Posting
from integrations.lever.payloads import Opportunity, json_object
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


def test_a_candidate_is_in_the_trigger_stage_with_an_address():
    answer = answer_to("GET", "/v1/opportunities/abc")
    assert isinstance(answer, dict)
    opportunity = Opportunity.from_api(answer["data"])
    assert (opportunity.id, opportunity.stage_id) == ("abc", TRIGGER_STAGE)
    assert opportunity.emails == ("abc@example.com",)


def test_every_invitation_has_an_instance_of_its_own():
    answers = [answer_to("POST", "/api/assessments") for _ in range(3)]
    assert len({str(answer) for answer in answers}) == 3
