"""What the feedback in Lever says of what comes next, also once that has changed."""

from datetime import timedelta

import pytest

from integrations.core.vocabulary import ErasureCause
from integrations.effects.kinds.feedback import NOT_WRITTEN, WRITE_FEEDBACK
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import approve, cancel, invite_again, resolve_as_sent
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from integrations.privacy.erase import erase
from integrations.queue import worker
from tests.effects.conftest import lever_account
from tests.effects.several import FAILED, NEXT, PASSED, TARGET, does, mapped, regrade
from tests.support import factories

NOTHING_MORE = "Nothing more is sent. Your team decides in Lever what comes next."
AFTER_ONE = f"“{NEXT}” was sent to the candidate after this one. "


@pytest.fixture
def says(sandbox):
    """Return a function that reads what comes next from the one form about an assessment of the candidate."""

    def read(assessment="Backend"):
        forms = [form["fields"] for form in sandbox.opportunity("Alder")["feedback"]]
        [form] = [form for form in forms if form["Assessment"] == assessment]
        line, follows = form["Details"].splitlines()[-1].split(": ", 1)
        assert line == "What comes next"
        return follows

    return read


def by_admin(scenario):
    link = f"http://testserver/activity/{scenario.sandbox.opportunity_id('Alder')}/"
    return f"an Admin chooses “Send again…” in the CodeScreen integration: {link}"


@pytest.mark.parametrize("reentry", ["nothing", "after_expiry", "after_days"])
def test_who_expired_is_invited_again_as_the_rules_say(scenario, says, reentry):
    scenario.set_policies(reentry=reentry, reentry_days=30)
    scenario.enter()
    scenario.candidate_does("expire")
    move = "move them out of “CodeScreen Assessment” and back in."
    completed_at = Invitation.objects.get().completed_at
    assert completed_at is not None
    day = completed_at + timedelta(days=30)
    how = {
        "nothing": f", {by_admin(scenario)}",
        "after_expiry": f", {move}",
        "after_days": f" from {day:%-d %B %Y} on, {move} Before that, {by_admin(scenario)}",
    }
    assert says() == f"{NOTHING_MORE} To invite the candidate again{how[reentry]}"


@pytest.mark.parametrize("hold_failed", [True, False])
def test_a_failed_result_leaves_the_decision_to_the_team(scenario, says, hold_failed):
    scenario.set_policies(hold_failed=hold_failed, reentry="after_expiry")
    scenario.enter()
    scenario.candidate_does("start", "submit", "evaluate", **FAILED)
    assert says().startswith(NOTHING_MORE)
    assert says().endswith(f"To invite the candidate again, {by_admin(scenario)}")
    assert ("Somebody of your team then says" in says()) == hold_failed


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("", NOTHING_MORE),
        (TARGET, f"The candidate is moved to the stage “{TARGET}”, unless somebody has moved them before."),
    ],
)
def test_who_passed_is_moved_or_left_to_the_team(scenario, says, stage, said):
    scenario.set_policies(stage_on_pass=stage)
    scenario.enter()
    scenario.candidate_does("start", "submit", "evaluate", **PASSED)
    assert says() == said


def test_a_later_round_is_said_in_the_same_feedback_once_it_is_sent(scenario, says, super_admin):
    scenario.enter()
    scenario.candidate_does("expire")
    invite_again(Invitation.objects.get(), super_admin)
    assert says().startswith(NOTHING_MORE)
    scenario.work()
    assert says().startswith("It was sent to the candidate again after this result.")
    assert Effect.objects.filter(kind="write_feedback").count() == 2


def test_the_next_assessment_is_said_while_it_waits_and_once_it_is_sent(scenario, says):
    mapped(scenario, next_assessment=NEXT, approval="always")
    scenario.enter()
    approve(Invitation.objects.get(), "test")
    scenario.work()
    does(scenario, **PASSED)
    scenario.work()
    assert says() == f"“{NEXT}” follows, but is on hold. An Admin decides whether it is sent."
    approve(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert says().startswith(AFTER_ONE)
    regrade(scenario, **FAILED)
    scenario.work()
    assert says("Backend (attempt 2)") == (
        f"{AFTER_ONE}The progress tag now shows that one. Its result comes in its own feedback. Then this result "
        "changed: your team decides whether that one still counts."
    )


def test_what_a_person_cancels_no_longer_comes_next(scenario, says):
    mapped(scenario, next_assessment=NEXT, approval="always", stage_on_pass=TARGET)
    scenario.enter()
    approve(Invitation.objects.get(), "test")
    scenario.work()
    does(scenario, **PASSED)
    scenario.work()
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert says().startswith(f"The candidate is moved to the stage “{TARGET}”")


def test_that_the_next_is_not_sent_is_said_with_what_to_do(scenario, says):
    mapped(scenario, next_assessment="Fronted")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    assert says().startswith(
        "Another assessment follows, but wasn't sent: unknown assessment. Correct the tag"
    )


def test_that_the_next_was_possibly_sent_is_said_until_a_person_has_decided(scenario, says, super_admin):
    mapped(scenario, next_assessment=NEXT)
    scenario.enter()
    scenario.codescreen_fails(kind="reset_after")
    does(scenario, **PASSED)
    scenario.work()
    possibly = f"“{NEXT}” follows, but is possibly sent. An Admin checks in CodeScreen whether it was sent, and says so"
    assert says().startswith(possibly)
    regrade(scenario, **FAILED)
    scenario.work()
    assert says("Backend (attempt 2)").startswith(possibly)
    resolve_as_sent(Invitation.objects.get(assessment_name=NEXT), "instance-2", super_admin)
    scenario.work()
    assert says("Backend (attempt 2)").startswith(AFTER_ONE)


def test_that_the_next_could_not_be_sent_is_said(scenario, says):
    mapped(scenario, next_assessment=NEXT)
    scenario.enter()
    scenario.codescreen_fails(status=404)
    does(scenario, **PASSED)
    scenario.work()
    assert says() == f"“{NEXT}” follows, but is not sent. Fix the reason. Then an Admin can send it again."


def test_one_that_was_sent_together_is_said_until_it_is_completed(scenario, says):
    mapped(scenario, also_assessments=[NEXT], next_assessment="Data Engineer")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    assert says() == (
        f"The candidate also has “{NEXT}”. The progress tag is about that. Another assessment follows once the "
        "candidate has passed all that were sent together."
    )
    does(scenario, NEXT, **FAILED)
    scenario.work()
    assert "The candidate also has" not in says()


def test_feedback_that_was_deleted_is_not_written_again_because_of_what_follows(
    scenario, sandbox, super_admin
):
    scenario.enter()
    scenario.candidate_does("expire")
    [form] = lever_account(sandbox).opportunities[sandbox.opportunity_id("Alder")].feedback.values()
    form.deleted_at = 1
    invite_again(Invitation.objects.get(), super_admin)
    scenario.work()
    assert sandbox.opportunity("Alder")["feedback"] == []
    last = Effect.objects.filter(kind="write_feedback").latest("pk")
    assert (last.state, WRITE_FEEDBACK.payload_of(last).only_what_follows) == ("cancelled", True)


@pytest.mark.parametrize(("status", "state"), [(403, "failed"), (503, "done")])
def test_what_follows_is_left_to_feedback_that_was_not_written_yet(scenario, super_admin, status, state):
    scenario.enter()
    scenario.lever_fails("/feedback$", status=status)
    scenario.candidate_does("expire")
    invite_again(Invitation.objects.get(), super_admin)
    scenario.work()
    scenario.work_waiting()
    [first, update] = Effect.objects.filter(kind="write_feedback").order_by("pk")
    assert (first.state, update.state, update.reason) == (state, "cancelled", NOT_WRITTEN)
    assert not update.calls.exists()


def test_nothing_is_written_of_what_follows_once_the_person_is_erased(scenario, sandbox):
    mapped(scenario, next_assessment=NEXT)
    scenario.enter()
    does(scenario, **PASSED)
    while scenario.latest_effect("write_feedback").state == "due":  # the next one isn't decided yet
        worker.perform_effect(factories.claimed(Effect, "me"))
    erase(scenario.organization, sandbox.opportunity_id("Alder"), ErasureCause.FORGOTTEN, "test")
    scenario.work()
    assert Delivery.objects.get(event="next").verdict == "erased"
    assert "putFeedback" not in sandbox.opportunity("Alder")["writes"]
    assert Effect.objects.filter(kind="write_feedback").count() == 1
