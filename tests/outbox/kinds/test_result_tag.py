"""Add the customer's own tag for a result, and remove it when the result changes."""

import pytest
from django.core.exceptions import ValidationError

from integrations.case.reconcile import changing
from integrations.core.rules.names import choose_result_tag
from integrations.core.vocabulary import ProgressTag
from integrations.outbox.models.effect import Effect


def complete_assessment(scenario, **verdict):
    """Let a candidate be invited and evaluated, and the effects be performed."""
    scenario.sent_invitation()
    scenario.candidate_does("start", "submit", "evaluate", **verdict)


def tags_in_lever(sandbox) -> list[str]:
    """Return the candidate's tags in Lever."""
    return list(sandbox.opportunity("Alder")["tags"])


def test_a_regrade_replaces_the_result_tag(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    complete_assessment(scenario, score=50, result="Failed")
    assert "test failed" in tags_in_lever(sandbox)
    scenario.candidate_does("regrade", score=80, result="Passed")
    assert "test passed" in tags_in_lever(sandbox)
    assert "test failed" not in tags_in_lever(sandbox)


def test_a_result_tag_that_failed_and_is_retried_late_says_what_counts(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    complete_assessment(scenario, score=50, result="Failed")
    scenario.candidate_does("regrade", score=80, result="Passed")
    Effect.objects.filter(kind="set_result_tag", payload__tag="test failed").update(state="due")
    scenario.work_waiting()
    assert "test failed" not in tags_in_lever(sandbox)


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


@pytest.mark.parametrize("tag", ["CodeScreen: Passed", " codescreen passed", "CODESCREEN Backend"])
def test_a_result_tag_is_refused_when_it_reads_like_a_portal_tag(scenario, tag):
    with pytest.raises(ValidationError):
        scenario.set_policies(passed_tag=tag)
    assert choose_result_tag("{assessment}: passed", "CodeScreen Basics") == ""
