"""Failed candidates await a person's decision where the policy says so; the portal archives nobody."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.core.vocabulary import ActionNotAllowed
from integrations.health import doctor
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from integrations.outbox.models import Effect
from tests.support import factories


@pytest.fixture
def review_scenario(scenario):
    """The scenario of an organization that reviews failed candidates."""
    set_policies(scenario.organization, {"hold_failed": True, "failed_tag": "test failed"}, "test")
    return scenario


def completed_invitation(scenario, **evaluation):
    """Return an invitation with this evaluation."""
    invitation = scenario.sent_invitation()
    scenario.candidate_does("start", "submit", "evaluate", **evaluation)
    return scenario.reread(invitation)


def test_a_failed_candidate_awaits_no_decision_by_default(scenario):
    assert completed_invitation(scenario, score=10, result="Failed").awaits_decision_since is None


def test_a_failed_candidate_awaits_a_decision_and_only_tag_and_feedback_are_written(review_scenario, sandbox):
    invitation = completed_invitation(review_scenario, score=10, result="Failed")
    assert invitation.awaits_decision_since is not None
    in_lever = sandbox.opportunity("Alder")
    assert "test failed" in in_lever["tags"]
    assert len(in_lever["feedback"]) == 1
    assert not {"stage", "archived"} & set(in_lever["writes"])
    opportunity = sandbox.lever.accounts["acme"].opportunities[sandbox.opportunity_id("Alder")]
    assert (opportunity.archived, opportunity.stage) == (None, sandbox.stage_id("CodeScreen Assessment"))
    assert not Effect.objects.filter(kind="move_stage").exists()


@pytest.mark.parametrize("evaluation", [{"score": 90, "result": "Passed"}, {"score": 1}])
def test_a_candidate_awaits_no_decision_when_codescreen_does_not_state_failed(
    review_scenario, sandbox, evaluation
):
    if "result" not in evaluation:
        sandbox.codescreen_does("settings", metadata=False)
    assert completed_invitation(review_scenario, **evaluation).awaits_decision_since is None


def test_a_regrade_to_passed_ends_the_review(review_scenario):
    invitation = completed_invitation(review_scenario, score=10, result="Failed")
    review_scenario.candidate_does("regrade", score=80, result="Passed")
    assert review_scenario.reread(invitation).awaits_decision_since is None


def test_a_decision_is_recorded_once(review_scenario, super_admin):
    invitation = completed_invitation(review_scenario, score=10, result="Failed")
    invitations.record_decision(invitation, super_admin, "interviewed all the same")
    assert review_scenario.reread(invitation).awaits_decision_since is None
    [entry] = AuditEntry.objects.filter(action="record_decision")
    assert (entry.actor, entry.target, entry.reason) == (
        super_admin,
        f"invitation {invitation.pk}",
        "interviewed all the same",
    )
    with pytest.raises(ActionNotAllowed):
        invitations.record_decision(invitation, super_admin)
    assert AuditEntry.objects.filter(action="record_decision").count() == 1
    # the same result read again doesn't reopen the review
    review_scenario.poll()
    assert review_scenario.reread(invitation).awaits_decision_since is None


SAME = {"score": 10, "result": "Failed", "reason": "Unit Tests"}


@pytest.fixture
def decided_invitation(review_scenario, super_admin):
    """An invitation whose candidate failed and was decided about by a person."""
    invitation = completed_invitation(review_scenario, **SAME)
    invitations.record_decision(invitation, super_admin)
    return invitation


def test_a_regrade_with_the_same_result_does_not_reopen_the_review(review_scenario, decided_invitation):
    review_scenario.candidate_does("regrade", **SAME)
    assert decided_invitation.results.count() == 2
    assert review_scenario.reread(decided_invitation).awaits_decision_since is None


@pytest.mark.parametrize("other", [{"score": 11}, {"reason": "Build Failure"}])
def test_a_regrade_with_another_result_reopens_the_review(review_scenario, decided_invitation, other):
    review_scenario.candidate_does("regrade", **SAME | other)
    assert review_scenario.reread(decided_invitation).awaits_decision_since is not None


def test_a_pass_regraded_to_failed_reopens_the_review(review_scenario, decided_invitation):
    review_scenario.candidate_does("regrade", score=80, result="Passed")
    review_scenario.candidate_does("regrade", **SAME)
    assert review_scenario.reread(decided_invitation).awaits_decision_since is not None


def test_the_same_result_of_another_attempt_reopens_the_review(review_scenario, decided_invitation):
    # CodeScreen states whole seconds
    Invitation.objects.filter(pk=decided_invitation.pk).update(
        submitted_at=timezone.now() - timedelta(hours=1)
    )
    review_scenario.candidate_does("reopen", "submit", "evaluate", **SAME)  # all between two polls
    assert review_scenario.reread(decided_invitation).awaits_decision_since is not None


def test_a_regrade_keeps_the_time_since_which_a_decision_is_awaited(review_scenario):
    invitation = completed_invitation(review_scenario, **SAME)
    for score in (10, 11):
        review_scenario.candidate_does("regrade", **SAME | {"score": score})
        assert review_scenario.reread(invitation).awaits_decision_since == invitation.awaits_decision_since


def test_inviting_again_ends_the_review(review_scenario, super_admin):
    invitation = completed_invitation(review_scenario, score=10, result="Failed")
    invitations.invite_again(invitation, super_admin, "a second chance")
    assert not Invitation.objects.awaiting_decision().exists()
    assert AuditEntry.objects.latest("pk").action == "invite_again"


def test_the_review_ends_when_codescreen_reopens_the_assessment(review_scenario):
    invitation = completed_invitation(review_scenario, score=10, result="Failed")
    invitation.move("in_progress")
    assert review_scenario.reread(invitation).awaits_decision_since is None


def test_only_a_completed_invitation_can_await_a_decision(organization):
    invitation = factories.InvitationFactory.create(organization=organization)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.filter(pk=invitation.pk).update(awaits_decision_since=timezone.now())


def test_the_doctor_counts_candidates_awaiting_a_decision(review_scenario):
    completed_invitation(review_scenario, score=10, result="Failed")
    findings = {str(finding.code): finding for finding in doctor.findings(review_scenario.organization)}
    assert findings["awaiting_decision"].message.startswith("1 candidate failed")
    assert findings["awaiting_decision"].page.url == "/activity/?view=undecided"
