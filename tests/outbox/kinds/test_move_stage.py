"""Move a passed candidate to the stage on pass: once, never back, and never against a recruiter."""

import pytest

from integrations.catalog import lists
from integrations.catalog.models import Stage
from integrations.clients import provider
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.retry import retry_effect
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.outbox.models.effect import Effect
from tests.support import factories

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


@pytest.mark.parametrize("written", [TARGET, f"  {TARGET.upper()} ", "id"])
def test_a_passed_candidate_is_moved_once_to_the_stage_by_name_or_id(scenario, sandbox, written):
    scenario.set_policies(stage_on_pass=sandbox.stage_id(TARGET) if written == "id" else written)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert (effect.state, effect.last_error, effect.payload["stage"]) == ("done", "", TARGET)
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)


@pytest.mark.parametrize("kind", ["status_after", "reset_after", "truncated"])
def test_a_move_whose_answer_was_lost_is_not_made_twice(scenario, kind, passed):
    scenario.lever_fails("/stage$", method="PUT", kind=kind)
    scenario.work()
    assert scenario.latest_effect("move_stage").state == "due"
    scenario.work_waiting()
    assert scenario.latest_effect("move_stage").state == "done"
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)


def test_a_move_is_made_later_when_lever_did_not_accept_it(scenario, passed):
    scenario.lever_fails("/stage$", method="PUT", status=503)
    scenario.work()
    assert scenario.stage_of() == FROM
    scenario.work_waiting()
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)


def test_a_move_is_made_once_when_its_worker_was_killed_after_it(scenario, passed):
    waiting = scenario.latest_effect("move_stage")
    scenario.work()
    Effect.objects.filter(pk=waiting.pk).update(state="due", done_at=None, due_at=waiting.due_at)
    scenario.work_waiting()
    assert scenario.latest_effect("move_stage").state == "done"
    assert scenario.moves_of() == 1


def test_a_move_to_a_wrong_stage_waits_while_lever_is_not_connected(scenario, passed):
    lists.refresh_stages(scenario.organization, provider.ClientProvider(scenario.organization).lever())
    scenario.set_policies(stage_on_pass="Phone sceen")
    LeverConnection.objects.get().mark_needs_reconnect("revoked")
    scenario.work()
    assert scenario.latest_effect("move_stage").state == "due"


@pytest.mark.parametrize(
    ("act", "more", "said", "stage"),
    [
        ("move", {"stage": "On-site interview"}, "A recruiter has decided", "On-site interview"),
        ("archive", {"reason": "Underqualified"}, "archived", FROM),
    ],
)
def test_the_move_is_cancelled_when_a_recruiter_acted_before_it(
    scenario, sandbox, passed, act, more, said, stage
):
    sandbox.lever_does(act, opportunities=[passed.opportunity_id], **more)
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "cancelled"
    assert said in effect.last_error
    if act == "move":
        assert FROM in effect.last_error or "the stage they were invited from" in effect.last_error
    assert (scenario.stage_of(), scenario.moves_of()) == (stage, 0)


def test_the_move_is_done_when_the_candidate_is_in_the_stage_already(scenario, sandbox, passed):
    recruiter_moves(sandbox, TARGET)
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert (effect.state, effect.end_reason, effect.last_error) == ("done", "already_there", "")
    assert scenario.moves_of() == 0


def test_the_move_is_cancelled_when_the_candidate_was_moved_back_after_a_lost_answer(
    scenario, sandbox, passed
):
    scenario.lever_fails("/stage$", method="PUT", kind="reset_after")
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


def test_the_move_is_cancelled_when_a_regrade_comes_before_it(scenario, sandbox, passed):
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
    assert (effect.state, effect.last_error) == (
        "cancelled",
        "The result has changed since. It no longer leads to the next stage.",
    )
    assert (scenario.stage_of(), scenario.moves_of()) == (FROM, 0)
    assert not Effect.objects.filter(key__startswith="regraded:").exists()


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
    lists.refresh_stages(scenario.organization, provider.lever_client(scenario.organization))
    Stage.objects.create(organization=scenario.organization, external_id="twin", name=TARGET, position=99)
    scenario.work()
    effect = scenario.latest_effect("move_stage")
    assert effect.state == "failed"
    assert "2 stages" in effect.last_error
    assert scenario.moves_of() == 0


def test_the_webhook_of_the_portals_own_move_leads_to_no_invitation(scenario, sandbox, passed):
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
    assert scenario.reread(passed).status == "completed"


def test_nobody_is_moved_for_a_round_that_a_later_one_has_replaced(scenario, passed):
    factories.InvitationFactory.create(
        organization=scenario.organization,
        opportunity_id=passed.opportunity_id,
        assessment_id=passed.assessment_id,
        round=2,
        status="invited",
        instance_id="instance-2",
    )
    scenario.work()
    assert scenario.latest_effect("move_stage").state == "cancelled"
    assert scenario.moves_of() == 0
