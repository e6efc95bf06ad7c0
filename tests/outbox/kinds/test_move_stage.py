"""Move a passed candidate to the stage on pass: once, never back, and never against a recruiter."""

import pytest

from integrations.case.reconcile import changing
from integrations.catalog.models import RoleMapping, Stage
from integrations.invitations.acts.invitations import invite_again, retry_effect
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from tests.outbox.conftest import LOST

TARGET = "Phone screen"
FROM = "CodeScreen Assessment"


@pytest.fixture
def passed(scenario):
    """An invitation with a stated Passed; the move to the stage on pass is due."""
    scenario.set_policies(stage_on_pass=TARGET)
    return scenario.evaluated_invitation(score=90, result="Passed")


def recruiter_moves(sandbox, to, word="Alder"):
    """Let a recruiter move the candidate in Lever."""
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=to)


def test_a_passed_candidate_is_moved_once_to_the_stage_however_it_is_spelled(scenario):
    scenario.set_policies(stage_on_pass=f"  {TARGET.upper()} ")
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert (effect.state, effect.last_error, effect.payload["stage"]) == ("done", "", TARGET)
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)


def test_a_move_whose_answer_was_lost_is_not_made_twice(scenario, passed):
    scenario.lever_fails("/stage$", method="PUT", kind=LOST)
    scenario.work()
    assert scenario.latest_effect("move_stage").state == "due"
    scenario.work_waiting()
    assert scenario.latest_effect("move_stage").state == "done"
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)


CANCELLED = ("cancelled", "")


@pytest.mark.parametrize(
    ("act", "more", "ending", "said", "stage"),
    [
        ("move", {"stage": "On-site interview"}, CANCELLED, "A recruiter has decided", "On-site interview"),
        ("archive", {"reason": "Underqualified"}, CANCELLED, "archived", FROM),
        ("move", {"stage": TARGET}, ("done", "already_there"), "", TARGET),
    ],
)
def test_nothing_is_moved_when_a_recruiter_acted_before(
    scenario, sandbox, passed, act, more, ending, said, stage
):
    sandbox.lever_does(act, opportunities=[passed.opportunity_id], **more)
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert (effect.state, effect.end_reason) == ending
    assert said in effect.last_error
    assert bool(effect.last_error) is bool(said)
    assert (scenario.stage_of(), scenario.moves_of()) == (stage, 0)


def test_the_move_is_cancelled_when_the_candidate_was_moved_back_after_a_lost_answer(
    scenario, sandbox, passed
):
    scenario.lever_fails("/stage$", method="PUT", kind=LOST)
    scenario.work()
    recruiter_moves(sandbox, FROM)
    scenario.work_waiting()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "cancelled"
    assert "moved the candidate back" in effect.last_error
    assert (scenario.stage_of(), scenario.moves_of()) == (FROM, 1)


def test_a_candidate_is_not_moved_again_by_a_later_grade(scenario, sandbox):
    scenario.set_policies(stage_on_pass=TARGET)
    scenario.evaluated_invitation(score=80, result="Passed")
    scenario.work()
    recruiter_moves(sandbox, FROM)
    scenario.candidate_does("regrade", score=95, result="Passed")
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "cancelled"
    assert "recruiters decide the stage" in effect.last_error
    assert (scenario.stage_of(), scenario.moves_of()) == (FROM, 1)


def test_the_move_fails_when_the_stage_is_unknown_and_is_done_once_corrected(scenario):
    scenario.set_policies(stage_on_pass="Phone sceen")
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "failed"
    assert f"Did you mean “{TARGET}”?" in effect.last_error
    assert "then retry" in effect.last_error
    scenario.set_policies(stage_on_pass=TARGET)
    retry_effect(effect, "test")
    scenario.work()
    assert scenario.stage_of() == TARGET


def test_the_move_fails_when_two_stages_have_the_name(scenario, passed):
    scenario.read_lists()
    Stage.objects.create(organization=scenario.organization, external_id="twin", name=TARGET, position=99)
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "failed"
    assert "2 stages" in effect.last_error
    assert scenario.moves_of() == 0


# what follows the move


def test_people_are_notified_when_a_regrade_comes_during_the_move(scenario, monkeypatch):
    scenario.set_policies(stage_on_pass=TARGET)
    invitation = scenario.evaluated_invitation(score=90, result="Passed")

    def regrade(*_):
        with changing(scenario.organization, invitation.opportunity_id) as case:
            result = case.results[invitation.pk]
            result.outcome = "Failed"
            result.save()

    monkeypatch.setattr("integrations.lever.client.LeverClient.move_stage", regrade)
    scenario.work()
    assert Effect.objects.filter(kind="leave_note", key__contains="regraded:").count() == 1


def test_nobody_is_moved_again_by_a_later_round(scenario):
    RoleMapping.objects.create(
        organization=scenario.organization,
        role="Backend Engineer",
        stage=FROM,
        assessment="Backend",
        stage_on_pass="CodeScreen Take-home",
    )
    scenario.enter()
    scenario.evaluate(score=90, result="Passed")
    scenario.enter()
    invite_again(Invitation.objects.get(), "test")
    scenario.work()
    scenario.evaluate(score=90, result="Passed")
    assert Effect.objects.filter(kind="move_stage").count() == 2
    assert (scenario.stage_of(), scenario.moves_of()) == (FROM, 1)
    assert scenario.latest_effect("move_stage").last_error.startswith(
        "The candidate was moved for this assessment before."
    )
