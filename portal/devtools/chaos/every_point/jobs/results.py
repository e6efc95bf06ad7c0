"""What a result leads to beside the feedback: move, alerts, a regrade after the move, a second round."""

from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.acts import save_chat_url
from integrations.organizations.acts import set_policies
from portal.devtools.chaos.every_point.jobs.job import (
    FAILED,
    PASSED,
    PASSED_TAG,
    Status,
    completed,
    evaluate,
    expect,
    invite,
)
from portal.devtools.chaos.every_point.platforms import CHAT_URL
from portal.devtools.chaos.every_point.world import PERSON, World, opportunity_id

NEXT_STAGE = "On-site interview"


def passed(world: World) -> None:
    """CodeScreen says Passed: the candidate is moved to the next stage, and the chat room is told."""
    world.person_does(
        lambda: not world.organization.chat_url, lambda: save_chat_url(world.organization, CHAT_URL, PERSON)
    )
    set_policies(world.organization, {"stage_on_pass": NEXT_STAGE}, PERSON)
    invite(world, "Alder")
    # Lever sends a webhook of the portal's own move, too
    verdicts = (VerdictCode.INVITE, VerdictCode.NOT_A_TRIGGER_STAGE)
    evaluate(world, "Alder", stage=NEXT_STAGE, alerts=1, verdicts=verdicts)


def regrade(world: World) -> None:
    """CodeScreen changes the result after the move: nobody is moved back, a note says so."""
    evaluate(world, "Alder", FAILED, ("regrade",), notes=frozenset({1}), alerts=2)


def failed(world: World) -> None:
    """CodeScreen says Failed: nobody is moved."""
    set_policies(world.organization, {"attach_report": False}, PERSON)
    expect(world, "Alder", alerts=None)
    invite(world, "Birch")
    evaluate(world, "Birch", FAILED, files=0)


def second_round(world: World) -> None:
    """A person invites again; then CodeScreen changes the first round's result, whose tag alone follows."""
    world.press("Birch", "again", Status.COMPLETED)
    world.rest()
    completed(world, "Birch", PASSED)
    expect(
        world,
        "Birch",
        emails=2,
        statuses=(Status.COMPLETED, Status.INVITED),
        tags=frozenset({ProgressTag.INVITED, PASSED_TAG}),
    )
    first = Invitation.objects.filter(opportunity_id=opportunity_id("Birch")).order_by("round")[0]
    world.platforms.codescreen_does("candidate", instance=first.instance_id, action=["regrade"], **PASSED)
    world.rest_after_polls("Birch")
