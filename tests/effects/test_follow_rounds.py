"""What follows a pass where one of several assessments has more than one round."""

from datetime import timedelta

from django.db.models import F

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import cancel, invite_again
from integrations.invitations.models.invitation import Invitation
from tests.effects.several import FAILED, NEXT, PASSED, TARGET, does, mapped, regrade, statuses, written


def test_the_candidate_is_moved_when_a_later_round_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, NEXT, **PASSED)
    does(scenario, **PASSED)
    again = invite_again(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == ("CodeScreen Assessment", ["cancelled"])
    cancel(again, "test")
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == (TARGET, ["cancelled", "done"])


def test_what_follows_the_next_does_when_one_before_it_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], next_assessment="Data Engineer", stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, **PASSED)
    does(scenario, NEXT, **PASSED)
    scenario.work()
    again = invite_again(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    does(scenario, "Data Engineer", **PASSED)
    scenario.work()
    assert scenario.moves_of() == 0
    cancel(again, "test")
    scenario.work()
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)


def test_a_failed_next_counts_when_its_later_round_is_cancelled(scenario, sandbox, chain):
    does(scenario, **PASSED)
    scenario.work()
    does(scenario, NEXT, **FAILED)
    scenario.work()
    again = invite_again(Invitation.objects.get(assessment_name=NEXT), "test")
    cancel(again, "test")
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == ("CodeScreen Assessment", [])


def test_a_later_round_counts_no_longer_when_it_was_sent_and_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET, passed_tag="All")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    again = invite_again(Invitation.objects.get(assessment_name="Backend"), "test")
    scenario.work()
    cancel(again, "test")
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert scenario.stage_of() == TARGET
    assert "All" in sandbox.opportunity("Alder")["tags"]


def second_round(scenario):
    """Send the first of a chain again once it is passed and the next one is sent; return the second round."""
    does(scenario, **PASSED)
    scenario.work()
    again = invite_again(Invitation.objects.get(assessment_name="Backend"), "test")
    scenario.work()
    return again


def test_the_next_is_followed_when_the_second_round_of_the_first_is_cancelled(scenario, sandbox, chain):
    again = second_round(scenario)
    does(scenario, NEXT, **PASSED)
    scenario.work()
    assert scenario.moves_of() == 0
    cancel(again, "test")
    scenario.work()
    assert scenario.stage_of() == TARGET
    assert "Passed all" in sandbox.opportunity("Alder")["tags"]


def test_the_second_round_of_the_first_is_followed_when_the_next_is_cancelled(scenario, sandbox, chain):
    second_round(scenario)
    does(scenario, **PASSED)
    scenario.work()
    assert scenario.moves_of() == 0
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert scenario.stage_of() == TARGET
    assert "Passed all" in sandbox.opportunity("Alder")["tags"]


def test_the_candidate_is_moved_when_a_regrade_of_the_second_round_is_taken_back(scenario, sandbox, chain):
    second_round(scenario)
    does(scenario, NEXT, **PASSED)
    scenario.work()
    does(scenario, **PASSED)
    assert written("move_stage") == ["due"]
    regrade(scenario, **FAILED)
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == ("CodeScreen Assessment", ["cancelled"])
    regrade(scenario, **PASSED)
    scenario.work()
    assert scenario.stage_of() == TARGET


def test_the_candidate_is_moved_when_the_second_round_of_the_first_is_passed_after_the_next(
    scenario, sandbox, chain
):
    does(scenario, **PASSED)
    scenario.work()
    does(scenario, NEXT, **PASSED)
    invite_again(Invitation.objects.get(assessment_name="Backend"), "test")
    scenario.work()
    assert written("move_stage") == ["cancelled"]
    does(scenario, **PASSED)
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == (TARGET, ["cancelled", "done"])


def test_nobody_is_moved_when_the_later_round_of_the_next_is_cancelled_by_a_regrade(scenario, sandbox, chain):
    does(scenario, **PASSED)
    scenario.work()
    following = Invitation.objects.get(assessment_name=NEXT)
    following.move("withdrawn", "It bounced.", next_poll_at=None, stopped_by_user=True)
    second = invite_again(following, "test")
    regrade(scenario, **FAILED)
    scenario.work()
    assert scenario.reread(second).status == "withdrawn"
    regrade(scenario, **PASSED)
    scenario.work()
    assert scenario.stage_of() == "CodeScreen Assessment"
    assert "Passed all" not in sandbox.opportunity("Alder")["tags"]


def test_a_next_that_was_cancelled_is_sent_when_a_new_round_begins_by_entering_the_stage(
    scenario, sandbox, chain
):
    does(scenario, **PASSED)
    scenario.work()
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.set_policies(reentry="after_days", reentry_days=1)
    scenario.enter(stage="Phone screen")
    ago = timedelta(days=30)
    Invitation.objects.update(completed_at=F("completed_at") - ago, changed_at=F("changed_at") - ago)
    Delivery.objects.update(received_at=F("received_at") - ago)
    scenario.enter()
    assert Invitation.objects.get(assessment_name="Backend", round=2).status == "invited"
    does(scenario, **PASSED)
    scenario.work()
    assert statuses()[NEXT] == "invited"


def test_a_round_by_the_policy_belongs_to_the_lone_first_that_leads_to_another(scenario, chain):
    scenario.set_policies(reentry="after_expiry")
    does(scenario, action=["expire"])
    scenario.work()
    scenario.enter(stage="Phone screen")
    scenario.enter()
    first, second = Invitation.objects.order_by("round")
    assert (first.together, second.together, second.round) == (first, first, 2)
    does(scenario, **PASSED)
    scenario.work()
    assert statuses() == {"Backend": "completed", NEXT: "invited"}
