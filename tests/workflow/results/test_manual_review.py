"""Those who failed wait for a person where the policy says so; the portal archives nobody."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.models import AuditEntry, Effect, Invitation
from integrations.workflow.health import doctor
from integrations.workflow.operations import invitations
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.policies import set_policies
from tests import factories


@pytest.fixture
def review_scenario(scenario):
    """The outbox of an organization that wants those who failed held."""
    set_policies(scenario.organization, {"hold_failed": True, "failed_tag": "test failed"}, "test")
    return scenario


def completed(scenario, **verdict):
    invitation = scenario.sent_invitation()
    scenario.candidate_does("start", "submit", "evaluate", **verdict)
    return scenario.reread(invitation)


def test_nobody_waits_unless_it_is_asked_for(scenario):
    assert completed(scenario, score=10, result="Failed").awaits_decision_since is None


def test_who_failed_waits_and_nothing_but_tag_and_feedback_is_done_in_lever(review_scenario, sandbox):
    invitation = completed(review_scenario, score=10, result="Failed")
    assert invitation.awaits_decision_since is not None
    seen = sandbox.opportunity("Alder")
    assert "test failed" in seen["tags"]
    assert len(seen["feedback"]) == 1
    assert not {"stage", "archived"} & set(seen["writes"])
    person = sandbox.lever.accounts["acme"].opportunities[sandbox.opportunity_id("Alder")]
    assert (person.archived, person.stage) == (None, sandbox.stage_id("CodeScreen Assessment"))
    assert not Effect.objects.filter(kind="move_stage").exists()


@pytest.mark.parametrize("verdict", [{"score": 90, "result": "Passed"}, {"score": 1}])
def test_only_who_is_said_to_have_failed_waits(review_scenario, sandbox, verdict):
    if "result" not in verdict:
        sandbox.codescreen_does("settings", metadata=False)
    assert completed(review_scenario, **verdict).awaits_decision_since is None


def test_a_regrade_to_passed_ends_the_wait(review_scenario):
    invitation = completed(review_scenario, score=10, result="Failed")
    review_scenario.candidate_does("regrade", score=80, result="Passed")
    assert review_scenario.reread(invitation).awaits_decision_since is None


def test_a_person_decides_once_and_it_is_on_record(review_scenario, super_admin):
    invitation = completed(review_scenario, score=10, result="Failed")
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
    # the same result read again asks nobody anew
    review_scenario.poll()
    assert review_scenario.reread(invitation).awaits_decision_since is None


SAME = {"score": 10, "result": "Failed", "reason": "Unit Tests"}


@pytest.fixture
def decided(review_scenario, super_admin):
    """An invitation whose candidate failed, and about whom a person has decided."""
    invitation = completed(review_scenario, **SAME)
    invitations.record_decision(invitation, super_admin)
    return invitation


def test_a_regrade_that_says_the_same_asks_nobody_anew(review_scenario, decided):
    review_scenario.candidate_does("regrade", **SAME)
    assert decided.results.count() == 2
    assert review_scenario.reread(decided).awaits_decision_since is None


@pytest.mark.parametrize("other", [{"score": 11}, {"reason": "Build Failure"}])
def test_a_regrade_that_says_something_else_asks_again(review_scenario, decided, other):
    review_scenario.candidate_does("regrade", **SAME | other)
    assert review_scenario.reread(decided).awaits_decision_since is not None


def test_a_pass_that_is_taken_back_asks_again(review_scenario, decided):
    review_scenario.candidate_does("regrade", score=80, result="Passed")
    review_scenario.candidate_does("regrade", **SAME)
    assert review_scenario.reread(decided).awaits_decision_since is not None


def test_the_same_result_of_another_try_asks_again(review_scenario, decided):
    # CodeScreen tells whole seconds
    Invitation.objects.filter(pk=decided.pk).update(submitted_at=timezone.now() - timedelta(hours=1))
    review_scenario.candidate_does("reopen", "submit", "evaluate", **SAME)  # all between two looks
    assert review_scenario.reread(decided).awaits_decision_since is not None


def test_who_waits_has_waited_since_the_first_time(review_scenario):
    invitation = completed(review_scenario, **SAME)
    for score in (10, 11):
        review_scenario.candidate_does("regrade", **SAME | {"score": score})
        assert review_scenario.reread(invitation).awaits_decision_since == invitation.awaits_decision_since


def test_another_round_is_a_decision(review_scenario, super_admin):
    invitation = completed(review_scenario, score=10, result="Failed")
    invitations.invite_again(invitation, super_admin, "a second chance")
    assert not Invitation.objects.awaiting_decision().exists()
    assert AuditEntry.objects.latest("pk").action == "invite_again"


def test_opening_it_again_in_codescreen_ends_the_wait(review_scenario):
    invitation = completed(review_scenario, score=10, result="Failed")
    invitation.move("in_progress")
    assert review_scenario.reread(invitation).awaits_decision_since is None


def test_only_a_completed_invitation_can_wait(organization):
    invitation = factories.InvitationFactory.create(organization=organization)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.filter(pk=invitation.pk).update(awaits_decision_since=timezone.now())


def test_the_doctor_counts_who_waits(review_scenario):
    completed(review_scenario, score=10, result="Failed")
    found = {str(finding.code): finding for finding in doctor.findings(review_scenario.organization)}
    assert found["awaiting_decision"].message.startswith("1 candidate failed")
    assert found["awaiting_decision"].url == "/activity/?status=awaits_decision"
