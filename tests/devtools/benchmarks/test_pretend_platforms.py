"""The pretend platforms of the benchmarks: what they answer is what the portal's clients read."""

import pytest

from integrations.codescreen import client as codescreen_shapes
from integrations.lever import shapes as lever_shapes
from integrations.lever.payloads import Opportunity
from portal.devtools.benchmarks.pretend_platforms import TRIGGER_STAGE, answer_to


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [
        ("GET", "/v1/opportunities/abc", lever_shapes.OPPORTUNITY),
        ("GET", "/v1/stages", lever_shapes.STAGES),
        ("GET", "/v1/postings", lever_shapes.POSTINGS),
        ("GET", "/v1/postings/role-0", lever_shapes.POSTING),
        ("GET", "/v1/users/author", lever_shapes.USER),
        ("GET", "/v1/users", lever_shapes.USERS),
        ("POST", "/v1/opportunities/abc/addTags", lever_shapes.ADD_TAGS),
        ("GET", "/api/assessments", codescreen_shapes.LIST_ASSESSMENTS),
        ("POST", "/api/assessments", codescreen_shapes.SEND_ASSESSMENT),
    ],
)
def test_an_answer_has_the_shape_that_the_portal_relies_on(method, path, endpoint):
    assert not endpoint.deviations(answer_to(method, path))


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
