"""The tags that follow from several assessments of one mapping, once one is cancelled or changed."""

from integrations.invitations.acts.invitations import cancel
from integrations.invitations.models.invitation import Invitation
from tests.effects.several import FAILED, NEXT, PASSED, does, mapped, progress_tags, regrade, statuses


def test_the_tag_is_that_of_the_other_when_one_is_cancelled_by_leaving_the_stage(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], passed_tag="All")
    scenario.set_policies(leaving="stop")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    scenario.enter(stage="Phone screen")
    assert statuses() == {"Backend": "completed", NEXT: "withdrawn"}
    assert progress_tags(sandbox) == ["CodeScreen: Assessment Completed"]
    assert "All" in sandbox.opportunity("Alder")["tags"]


def test_the_tag_says_that_one_expired_when_the_other_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.enter()
    scenario.candidate_does("expire")
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert progress_tags(sandbox) == ["CodeScreen: Assessment Expired"]


def test_the_tag_is_that_of_the_one_in_progress_when_the_other_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.enter()
    scenario.candidate_does("start")
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert progress_tags(sandbox) == ["CodeScreen: Assessment in Progress"]


def tags_of_result(sandbox):
    """Return whether the candidate has the tag for a pass, and the one for a failure."""
    tags = sandbox.opportunity("Alder")["tags"]
    return "All" in tags, "No" in tags


def test_no_tag_says_passed_when_one_failed_while_another_was_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT, "Data Engineer"], passed_tag="All", failed_tag="No")
    scenario.enter()
    does(scenario, **PASSED)
    does(scenario, NEXT, **PASSED)
    scenario.work()
    cancel(Invitation.objects.get(assessment_name="Data Engineer"), "test")
    regrade(scenario, **FAILED)
    scenario.work()
    assert tags_of_result(sandbox) == (False, True)


def test_no_tag_says_passed_when_its_call_is_made_again_after_the_other_failed(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], passed_tag="All", failed_tag="No")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    does(scenario, NEXT, **PASSED)
    scenario.lever_fails("/addTags", status=503)
    scenario.work()
    regrade(scenario, **FAILED)
    scenario.work()
    scenario.work_waiting()
    assert tags_of_result(sandbox) == (False, True)
