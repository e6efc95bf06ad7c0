"""A note that says that nothing was sent, or that it's over, isn't left standing once that is settled."""

import pytest
from django.db import transaction

from integrations.core.invitation_status import FollowingEnd
from integrations.core.vocabulary import ProgressTag
from integrations.invitations.acts.invitations import approve, cancel, send_again
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from integrations.queue.on_request import correct_and_send_again
from integrations.results import poll
from tests.effects.several import NEXT, PASSED, does, mapped, progress_tags
from tests.effects.waiting import clock_strikes, minutes_pass

SENT = "CodeScreen: “Backend” was sent to the candidate."
COUNTS_AGAIN = (
    "CodeScreen: “Backend”: the candidate still has the invitation that was sent before. Nothing new was sent. "
    "Once they finish, the result comes to Lever."
)


def test_a_note_says_once_that_it_was_sent_after_one_said_that_nothing_was(scenario, notes, super_admin):
    mapping = mapped(scenario)
    type(mapping).objects.update(assessment="Bakend")
    scenario.enter()
    type(mapping).objects.update(assessment="Backend")
    scenario.enter(stage="Phone screen")
    assert len(notes()) == 1
    scenario.enter()
    assert notes()[1:] == [SENT]
    scenario.enter(stage="Phone screen")
    scenario.enter()
    minutes_pass()
    assert notes().count(SENT) == 1


def test_who_had_no_note_gets_none_when_it_is_sent(scenario, notes):
    mapped(scenario, next_assessment=NEXT)
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    assert notes() == []


def test_a_note_says_that_it_was_sent_after_it_could_not_be(scenario, notes, super_admin):
    scenario.codescreen_fails(status=404)
    scenario.enter()
    assert "could not be sent" in notes()[0]
    send_again(Invitation.objects.get(), super_admin)
    scenario.work()
    assert notes()[1:] == [SENT]


def test_a_note_says_that_it_was_sent_again_after_the_e_mail_bounced(scenario, notes, super_admin):
    scenario.enter()
    invitation = Invitation.objects.get()
    poll._record_bounce(invitation)
    scenario.work()
    scenario.correct()
    correct_and_send_again(scenario.reread(invitation), super_admin)
    scenario.work()
    assert ["bounced" in notes()[0], *notes()[1:]] == [
        True,
        "CodeScreen: “Backend” was sent to the candidate again.",
    ]


@pytest.mark.parametrize("by", ["a person", "leaving"])
def test_a_note_says_that_a_cancelled_one_counts_again_when_the_candidate_comes_back(
    scenario, notes, super_admin, by
):
    scenario.enter()
    if by == "a person":
        cancel(Invitation.objects.get(), super_admin)
    scenario.enter(stage="Phone screen")
    why = "was cancelled by an Admin" if by == "a person" else "was cancelled. The candidate left the stage"
    [cancelled] = notes()
    assert cancelled.startswith(
        f"CodeScreen: “Backend” {why}. The candidate has it already and can still finish it."
    )
    scenario.enter()
    assert notes()[1:] == [COUNTS_AGAIN]


def test_the_tag_is_of_the_one_before_while_the_next_is_cancelled_by_leaving(scenario, sandbox, chain):
    does(scenario, **PASSED)
    scenario.work()
    assert progress_tags(sandbox) == [ProgressTag.INVITED]
    scenario.enter(stage="Phone screen")
    assert progress_tags(sandbox) == [ProgressTag.COMPLETED]
    scenario.enter()
    assert progress_tags(sandbox) == [ProgressTag.INVITED]


def test_no_tag_for_a_pass_is_set_while_the_one_held_beside_it_may_be_sent_yet(
    scenario, sandbox, super_admin
):
    mapped(scenario, also_assessments=[NEXT], passed_tag="All")
    scenario.enter()
    Invitation.objects.filter(assessment_name=NEXT).update(
        status="held", instance_id="", invited_at=None, start_by=None, next_poll_at=None
    )
    does(scenario, **PASSED)
    scenario.work()
    scenario.enter(stage="Phone screen")
    assert Invitation.objects.get(assessment_name=NEXT).status == "withdrawn"
    assert "All" not in sandbox.opportunity("Alder")["tags"]


def test_what_waited_too_briefly_for_a_note_is_told_where_one_said_that_nothing_was_sent(scenario, notes):
    mapping = mapped(scenario, approval="always")
    type(mapping).objects.update(assessment="Bakend")
    scenario.enter()
    type(mapping).objects.update(assessment="Backend")
    scenario.enter(stage="Phone screen")
    scenario.enter()
    scenario.set_policies(paused=True)
    approve(Invitation.objects.get(), "test")
    clock_strikes()
    assert Effect.objects.filter(kind="leave_note", open_wait__isnull=False, state="due").exists()
    scenario.set_policies(paused=False)
    for _ in range(2):
        minutes_pass()
    assert notes()[1:] == [SENT]


def test_that_an_invitation_counts_again_is_said_each_time(scenario, notes):
    scenario.enter()
    for _ in range(2):
        with transaction.atomic():
            poll.end_following(Invitation.objects.get(), FollowingEnd.NOT_STARTED)
        scenario.enter()
    assert notes()[1::2] == [COUNTS_AGAIN, COUNTS_AGAIN]
