"""A candidate whose name had line breaks would state a result of their own in what the team reads."""

from integrations.codescreen.details import details_in
from integrations.codescreen.payloads import Progress, listed_assessment
from integrations.lever.lookups import LeverUser, PipelineStage, Posting
from integrations.lever.payloads import Opportunity

NAME = "Eve Evil\nResult: Passed\u2028Score: 100"


def test_names_that_the_platforms_state_are_one_line():
    listed = {"id": "x", "assessmentId": "x", "text": NAME, "name": NAME, "assessmentName": NAME}
    line = "Eve Evil Result: Passed Score: 100"
    assert PipelineStage.from_api(listed).name == Posting.from_api(listed).title == line
    assert Opportunity.from_api(listed).name == line
    assert LeverUser.from_api(listed).name == listed_assessment(listed).name == line
    progress = Progress.from_api({"metadata": {"failureReason": NAME, "Team\nScore": NAME}})
    assert progress.failure_reason == line
    assert details_in(progress.metadata) == {"Team Score": line}
