"""What a result leads to beside the feedback: move, alerts, a regrade after the move, a second round."""

from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.acts import save_chat_url
from integrations.organizations.acts import set_policies
from portal.devtools.chaos.every_point.jobs.job import (
    PASSED_TAG,
    Job,
    Phase,
    Status,
    completed,
    evaluate,
    expect,
    invited,
)
from portal.devtools.chaos.every_point.platforms import CHAT_URL
from portal.devtools.chaos.every_point.world import PERSON, World, opportunity_id

NEXT_STAGE = "On-site interview"


def move(world: World) -> None:
    """CodeScreen says Passed: the candidate is moved to the next stage, and the chat room is told."""
    world.person_does(
        lambda: not world.organization.chat_url, lambda: save_chat_url(world.organization, CHAT_URL, PERSON)
    )
    world.organization.refresh_from_db()
    set_policies(world.organization, {"stage_on_pass": NEXT_STAGE}, PERSON)
    invited(world, "Alder")
    world.move("Alder")
    world.rest()
    # Lever sends a webhook of the portal's own move, too
    completed(world, "Alder", score=90, result="Passed", stage=NEXT_STAGE, alerts=1)
    expect(world, "Alder", verdicts=(VerdictCode.INVITE, VerdictCode.NOT_A_TRIGGER_STAGE))
    evaluate(world, "Alder", score=90, result="Passed")


def regrade(world: World) -> None:
    """CodeScreen changes the result after the move: nobody is moved back, a note says so."""
    again = {"notes": frozenset({1}), "alerts": 2}
    completed(world, "Alder", score=40, result="Failed", reason="Unit Tests", **again)
    world.candidate_does("Alder", "regrade", score=40, result="Failed", reason="Unit Tests")
    world.rest_after_polls("Alder")


def fail(world: World) -> None:
    """CodeScreen says Failed: nobody is moved."""
    set_policies(world.organization, {"attach_report": False}, PERSON)
    expect(world, "Alder", alerts=None)
    invited(world, "Birch")
    world.move("Birch")
    world.rest()
    completed(world, "Birch", score=40, result="Failed", reason="Unit Tests", files=0)
    evaluate(world, "Birch", score=40, result="Failed", reason="Unit Tests")


def second_round(world: World) -> None:
    """A person invites again; then CodeScreen changes the first round's result, whose tag alone follows."""
    world.press("Birch", "again", Status.COMPLETED)
    world.rest()
    expect(
        world,
        "Birch",
        emails=2,
        statuses=(Status.COMPLETED, Status.INVITED),
        tags=frozenset({ProgressTag.INVITED, PASSED_TAG}),
        feedback={"CodeScreen score": "90", "Result": "Passed", "Rating": "4"},
    )
    first = Invitation.objects.filter(opportunity_id=opportunity_id("Birch")).order_by("round").first()
    if first is not None:
        world.platforms.codescreen_does(
            "candidate", instance=first.instance_id, action=["regrade"], score=90, result="Passed"
        )
    world.rest_after_polls("Birch")


RESULTS = Job(
    "results",
    (
        Phase("move", "Alder", move),
        Phase("regrade", "Alder", regrade),
        Phase("failed", "Birch", fail),
        Phase("second round", "Birch", second_round),
    ),
)
