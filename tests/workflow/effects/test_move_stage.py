"""Moving on those who passed: only what CodeScreen states, where no recruiter has acted, never twice, never back."""

import pytest
from django.core.exceptions import ValidationError

from integrations.clients import provider
from integrations.models import Delivery, Effect, Invitation, Organization, RoleMapping, Stage
from integrations.workflow.catalog import sync
from integrations.workflow.operations.effects import retry_effect
from tests import factories

TARGET = "Phone screen"
FROM = "CodeScreen Assessment"


def stage(sandbox, word="Alder"):
    """Return the name of the stage a candidate is in."""
    account = sandbox.lever.accounts["acme"]
    return account.stages[account.opportunities[sandbox.opportunity_id(word)].stage].text


def moves(sandbox, word="Alder"):
    """Return how often the API moved the candidate."""
    return sandbox.opportunity(word)["writes"].get("stage", 0)


def recruiter_moves(sandbox, to, word="Alder"):
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=to)


def test_nobody_is_moved_unless_it_is_asked_for(scenario, sandbox):
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    assert not Effect.objects.filter(kind="move_stage").exists()
    assert stage(sandbox) == FROM


@pytest.mark.parametrize("written", [TARGET, f"  {TARGET.upper()} ", "id"])
def test_who_passed_is_moved_once_by_name_or_id(scenario, sandbox, written):
    scenario.set_policies(passed_stage=sandbox.stage_id(TARGET) if written == "id" else written)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert (effect.state, effect.last_error, effect.payload["stage"]) == ("done", "", TARGET)
    assert (stage(sandbox), moves(sandbox)) == (TARGET, 1)


def test_the_move_is_shown_to_be_by_the_connected_user(scenario, sandbox):
    sandbox.lever_does("settings", strict_perform_as=True)
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    change = sandbox.lever.accounts["acme"].opportunities[sandbox.opportunity_id("Alder")].stage_changes[-1]
    assert change["userId"] == scenario.organization.lever_connection.lever_user_id


@pytest.mark.parametrize("verdict", [{"score": 99, "result": "Failed"}, {"score": 100}])
def test_a_high_score_alone_moves_nobody(scenario, sandbox, verdict):
    if "result" not in verdict:
        sandbox.codescreen_does("settings", metadata=False)
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(**verdict)
    scenario.work()
    assert not Effect.objects.filter(kind="move_stage").exists()
    assert stage(sandbox) == FROM


@pytest.mark.parametrize("kind", ["status_after", "reset_after", "truncated"])
def test_a_move_whose_answer_was_lost_is_not_made_twice(scenario, sandbox, kind):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.lever_fails("/stage$", method="PUT", kind=kind)
    scenario.work()
    assert scenario.latest_effect("move_stage").state == "due"
    scenario.work_waiting()
    assert scenario.latest_effect("move_stage").state == "done"
    assert (stage(sandbox), moves(sandbox)) == (TARGET, 1)


def test_a_move_that_was_not_taken_is_made_later(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.lever_fails("/stage$", method="PUT", status=503)
    scenario.work()
    assert stage(sandbox) == FROM
    scenario.work_waiting()
    assert (stage(sandbox), moves(sandbox)) == (TARGET, 1)


def test_a_worker_killed_after_the_move_makes_no_second_one(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    waiting = scenario.latest_effect("move_stage")
    scenario.work()
    Effect.objects.filter(pk=waiting.pk).update(state="due", done_at=None, due_at=waiting.due_at)
    scenario.work_waiting()
    assert scenario.latest_effect("move_stage").state == "done"
    assert moves(sandbox) == 1


# a recruiter has acted


def test_who_was_moved_elsewhere_meanwhile_stays_there(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    recruiter_moves(sandbox, "On-site interview")
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "cancelled"
    assert "a recruiter has moved them" in effect.last_error
    assert FROM in effect.last_error or "the stage they were invited from" in effect.last_error
    assert (stage(sandbox), moves(sandbox)) == ("On-site interview", 0)


def test_who_was_archived_meanwhile_stays_archived(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    sandbox.lever_does("archive", opportunities=[sandbox.opportunity_id("Alder")], reason="Underqualified")
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "cancelled"
    assert "archived" in effect.last_error
    assert (stage(sandbox), moves(sandbox)) == (FROM, 0)


def test_who_is_there_already_is_not_moved_and_it_says_so(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    recruiter_moves(sandbox, TARGET)
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert (effect.state, effect.last_error) == ("done", f"The candidate was in “{TARGET}” already.")
    assert moves(sandbox) == 0


def test_who_was_moved_back_after_a_lost_answer_stays_back(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.lever_fails("/stage$", method="PUT", kind="reset_after")
    scenario.work()
    recruiter_moves(sandbox, FROM)
    scenario.work_waiting()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "cancelled"
    assert "moved the candidate back" in effect.last_error
    assert (stage(sandbox), moves(sandbox)) == (FROM, 1)


def test_who_was_moved_once_is_not_moved_by_a_later_grade(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=80, result="Passed")
    scenario.work()
    recruiter_moves(sandbox, FROM)
    scenario.candidate_does("regrade", score=95, result="Passed")
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "cancelled"
    assert "a recruiter decides" in effect.last_error
    assert (stage(sandbox), moves(sandbox)) == (FROM, 1)


# regrades


def test_a_regrade_to_failed_moves_nobody_back_and_is_told_once(scenario, sandbox, super_admin):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    scenario.candidate_does("regrade", score=10, result="Failed")
    scenario.poll()
    scenario.work()
    assert (stage(sandbox), moves(sandbox)) == (TARGET, 1)
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert f"says Failed now. It had said Passed, and the candidate was moved to “{TARGET}”" in note
    assert "alder" not in note.casefold()
    [mail] = Effect.objects.filter(kind="send_email", email_topic="result_changed")
    assert super_admin.email in mail.payload["recipients"]


def test_a_regrade_before_the_move_cancels_it(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    sandbox.codescreen_does(
        "candidate",
        action="regrade",
        score=10,
        result="Failed",
        email="alder@candidates.example",
        assessment="Backend",
    )
    scenario.poll()
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert (effect.state, effect.last_error) == ("cancelled", "CodeScreen no longer says Passed.")
    assert (stage(sandbox), moves(sandbox)) == (FROM, 0)
    assert not Effect.objects.filter(key__startswith="regraded:").exists()


def test_a_regrade_during_the_call_is_told_too(scenario, sandbox, monkeypatch):
    scenario.set_policies(passed_stage=TARGET)
    invitation = scenario.evaluated_invitation(score=90, result="Passed")

    def regraded_meanwhile(*_):
        invitation.results.update(outcome="Failed")

    monkeypatch.setattr("integrations.lever.client.LeverClient.move_stage", regraded_meanwhile)
    scenario.work()
    assert Effect.objects.filter(kind="leave_note", key__contains="regraded:").count() == 1


def test_failed_and_then_passed_is_moved(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=10, result="Failed")
    scenario.work()
    assert stage(sandbox) == FROM
    scenario.candidate_does("regrade", score=90, result="Passed")
    assert (stage(sandbox), moves(sandbox)) == (TARGET, 1)


# the target


def test_an_unknown_target_fails_loudly_and_is_done_once_it_is_corrected(scenario, sandbox):
    scenario.set_policies(passed_stage="Phone sceen")
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "failed"
    assert f"Did you mean “{TARGET}”?" in effect.last_error
    assert "then retry" in effect.last_error
    scenario.set_policies(passed_stage=TARGET)
    retry_effect(effect, "test")
    scenario.work()
    assert stage(sandbox) == TARGET


@pytest.mark.parametrize("written", [FROM, "codescreen", "  CODESCREEN  round two", "id"])
def test_a_target_that_would_invite_is_refused(scenario, sandbox, written):
    sync.refresh_stages(scenario.organization, provider.lever_client(scenario.organization))
    with pytest.raises(ValidationError) as refused:
        scenario.set_policies(passed_stage=sandbox.stage_id(FROM) if written == "id" else written)
    assert "sends an assessment" in refused.value.message_dict["passed_stage"][0]


def test_a_target_that_a_mapping_names_is_refused(scenario):
    RoleMapping.objects.create(
        organization=scenario.organization, role="Backend Engineer", stage=TARGET, assessment="Backend"
    )
    with pytest.raises(ValidationError):
        scenario.set_policies(passed_stage=TARGET)


def test_a_prefix_that_would_make_the_target_invite_is_refused(scenario):
    scenario.set_policies(passed_stage=TARGET)
    with pytest.raises(ValidationError):
        scenario.set_policies(stage_prefix="Phone")


def test_a_prefix_that_is_not_why_the_target_invites_may_change(scenario):
    scenario.set_policies(passed_stage=TARGET)
    RoleMapping.objects.create(
        organization=scenario.organization, role="Backend Engineer", stage=TARGET, assessment="Backend"
    )
    scenario.set_policies(stage_prefix="Assessment")
    assert Organization.objects.get(pk=scenario.organization.pk).stage_prefix == "Assessment"


def test_a_target_that_came_to_invite_later_moves_nobody(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    RoleMapping.objects.create(
        organization=scenario.organization, role="Backend Engineer", stage=TARGET, assessment="Backend"
    )
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "failed"
    assert "would send an assessment" in effect.last_error
    assert (stage(sandbox), moves(sandbox)) == (FROM, 0)


def test_two_stages_of_one_name_are_not_guessed_between(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    sync.refresh_stages(scenario.organization, provider.lever_client(scenario.organization))
    Stage.objects.create(organization=scenario.organization, external_id="twin", name=TARGET, position=99)
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "failed"
    assert "2 stages" in effect.last_error
    assert moves(sandbox) == 0


def test_levers_word_of_our_own_move_leads_to_nothing(scenario, sandbox):
    scenario.set_policies(passed_stage=TARGET)
    invitation = scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    data = {"opportunityId": sandbox.opportunity_id("Alder"), "toStageId": sandbox.stage_id(TARGET)}
    factories.DeliveryFactory.create(
        organization=scenario.organization,
        opportunity_id=sandbox.opportunity_id("Alder"),
        payload={"event": "candidateStageChange", "data": data},
    )
    scenario.work()
    assert Delivery.objects.get().verdict == "not_a_trigger_stage"
    assert Invitation.objects.count() == 1
    assert scenario.reread(invitation).status == "completed"
