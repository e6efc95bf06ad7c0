"""Add the customer's own tag for a result, and remove it when the result changes."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations.case.reconcile import changing
from integrations.core.rules.names import choose_result_tag
from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models.effect import Effect
from tests.support import factories


def complete_assessment(scenario, **verdict):
    """Let a candidate be invited and evaluated, and the effects be performed."""
    scenario.sent_invitation()
    scenario.candidate_does("start", "submit", "evaluate", **verdict)


def tags_in_lever(sandbox) -> list[str]:
    """Return the candidate's tags in Lever."""
    return list(sandbox.opportunity("Alder")["tags"])


def test_no_result_tag_is_added_when_none_is_configured(scenario, sandbox):
    complete_assessment(scenario, score=90, result="Passed")
    assert not Effect.objects.filter(kind="set_result_tag").exists()


@pytest.mark.parametrize(
    ("result", "expected"), [("Passed", "Backend: passed"), ("Failed", "Backend: failed")]
)
def test_the_result_tag_follows_the_result_codescreen_states(scenario, sandbox, result, expected):
    scenario.set_policies(passed_tag="{assessment}: passed", failed_tag="{assessment}: failed")
    complete_assessment(scenario, score=50, result=result)
    assert expected in tags_in_lever(sandbox)
    assert [tag for tag in tags_in_lever(sandbox) if tag.startswith("CodeScreen:")] == [
        "CodeScreen: Assessment Completed"
    ]


def test_a_regrade_replaces_the_result_tag(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    complete_assessment(scenario, score=50, result="Failed")
    assert "test failed" in tags_in_lever(sandbox)
    scenario.candidate_does("regrade", score=80, result="Passed")
    assert "test passed" in tags_in_lever(sandbox)
    assert "test failed" not in tags_in_lever(sandbox)


def test_a_delayed_result_tag_never_replaces_a_later_results(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    scenario.evaluated_invitation(score=50, result="Failed")
    Effect.objects.filter(state="due").update(due_at=timezone.now() + timedelta(hours=1))
    scenario.work()
    scenario.candidate_does("regrade", score=80, result="Passed")
    scenario.work_waiting()
    tags = tags_in_lever(sandbox)
    assert ("test passed" in tags, "test failed" in tags) == (True, False)
    delayed = scenario.latest_effect("set_result_tag", payload__tag="test failed")
    assert delayed.state == "cancelled"


def test_a_result_tag_that_failed_and_is_retried_late_says_what_counts(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    complete_assessment(scenario, score=50, result="Failed")
    scenario.candidate_does("regrade", score=80, result="Passed")
    Effect.objects.filter(kind="set_result_tag", payload__tag="test failed").update(state="due")
    scenario.work_waiting()
    assert "test failed" not in tags_in_lever(sandbox)


def test_a_delayed_result_tag_never_replaces_a_later_rounds(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    complete_assessment(scenario, score=50, result="Failed")
    first = Invitation.objects.get()
    second = factories.InvitationFactory.create(
        organization=scenario.organization,
        opportunity_id=first.opportunity_id,
        assessment_id=first.assessment_id,
        round=2,
        instance_id="the later round",
        status="in_progress",
    )
    with changing(scenario.organization, first.opportunity_id) as case:
        case.results[second.pk] = Result.objects.create(invitation=second, outcome="Passed")
        case.invitation(second.pk).move("completed", completed_at=case.now)
    Effect.objects.filter(kind="set_result_tag", payload__tag="test failed").update(state="due")
    sandbox.lever_does("tags", opportunities=[first.opportunity_id], remove=["test failed"])
    scenario.work_waiting()
    assert "test failed" not in tags_in_lever(sandbox)
    assert "test passed" in tags_in_lever(sandbox)


def test_a_result_tag_is_set_alone_when_a_later_round_has_the_progress_tag(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    complete_assessment(scenario, score=50, result="Failed")
    first = Invitation.objects.get()
    factories.InvitationFactory.create(
        organization=scenario.organization,
        opportunity_id=first.opportunity_id,
        assessment_id=first.assessment_id,
        round=2,
        instance_id="the later round",
        status="invited",
    )
    sandbox.lever_does("tags", opportunities=[first.opportunity_id], add=[ProgressTag.INVITED])
    sandbox.lever_does("tags", opportunities=[first.opportunity_id], remove=[ProgressTag.COMPLETED])
    scenario.candidate_does("regrade", score=80, result="Passed")
    assert scenario.latest_effect("set_result_tag").state == "done"
    tags = set(tags_in_lever(sandbox))
    assert {"test passed", ProgressTag.INVITED} <= tags
    assert not {"test failed", ProgressTag.COMPLETED} & tags


def test_a_result_tag_still_waiting_is_set_when_codescreen_opens_the_assessment_again(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed")
    invitation = scenario.evaluated_invitation(score=90, result="Passed")
    invitation.refresh_from_db()
    with changing(scenario.organization, invitation.opportunity_id) as case:
        case.invitation(invitation.pk).move("in_progress")
    scenario.work()
    assert "test passed" in tags_in_lever(sandbox)
    assert [tag for tag in tags_in_lever(sandbox) if tag.startswith("CodeScreen:")] == [
        ProgressTag.IN_PROGRESS
    ]


def test_no_result_tag_is_added_when_codescreen_states_no_result(scenario, sandbox):
    sandbox.codescreen_does("settings", metadata=False)
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    complete_assessment(scenario, score=99)
    assert not {"test passed", "test failed"} & set(tags_in_lever(sandbox))


@pytest.mark.parametrize("tag", ["CodeScreen: Passed", " codescreen passed", "CODESCREEN Backend"])
def test_a_result_tag_is_refused_when_it_reads_like_a_portal_tag(scenario, tag):
    with pytest.raises(ValidationError):
        scenario.set_policies(passed_tag=tag)
    assert choose_result_tag("{assessment}: passed", "CodeScreen Basics") == ""
