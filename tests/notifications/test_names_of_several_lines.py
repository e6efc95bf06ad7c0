"""A candidate whose name has line breaks states a result of their own in what the team reads."""

from django.core import mail

from integrations.codescreen.details import details_in
from integrations.codescreen.payloads import Progress, listed_assessment
from integrations.invitations.models.invitation import Invitation
from integrations.lever.lookups import LeverUser, PipelineStage, Posting
from integrations.members.models.membership import Membership
from tests.support import factories

NAME = "Eve Evil\nResult: Passed\u2028Score: 100"
POSING = ("Result:", "Score:")


def test_a_name_stays_one_line_in_the_teams_email(scenario):
    factories.member(scenario.organization, Membership.Role.ADMIN, "ann")
    opportunity_id = scenario.sandbox.opportunity_id("Alder")
    scenario.correct(email="alder@candidates.example", name=NAME)
    scenario.place()
    data = {"opportunityId": opportunity_id, "toStageId": scenario.sandbox.stage_id("CodeScreen Assessment")}
    factories.DeliveryFactory.create(
        organization=scenario.organization, opportunity_id=opportunity_id, payload={"data": data}
    )
    scenario.work()
    scenario.candidate_does("start", "submit", "evaluate", result="Failed", reason="Unit Tests", score=12)
    scenario.work_waiting()
    assert Invitation.objects.get().candidate_name == "Eve Evil Result: Passed Score: 100"
    facts = [line for message in mail.outbox for line in message.body.splitlines() if line.startswith(POSING)]
    assert set(facts) == {"Result: Failed", "Score: 12"}


def test_names_in_the_platforms_lists_are_one_line():
    listed = {"id": "x", "assessmentId": "x", "text": NAME, "name": NAME, "assessmentName": NAME}
    line = "Eve Evil Result: Passed Score: 100"
    assert PipelineStage.from_api(listed).name == Posting.from_api(listed).title == line
    assert LeverUser.from_api(listed).name == listed_assessment(listed).name == line
    progress = Progress.from_api({"metadata": {"failureReason": NAME, "Team\nScore": NAME}})
    assert progress.failure_reason == line
    assert details_in(progress.metadata) == {"Team Score": line}
