"""Enqueue the move to the stage on pass, and notify people when a Passed is taken back after it."""

import pytest

from integrations.outbox.models import Effect

TARGET = "Phone screen"
FROM = "CodeScreen Assessment"


def test_no_candidate_is_moved_when_no_stage_on_pass_is_set(scenario):
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    assert not Effect.objects.filter(kind="move_stage").exists()
    assert scenario.stage_of() == FROM


@pytest.mark.parametrize("verdict", [{"score": 99, "result": "Failed"}, {"score": 100}])
def test_no_candidate_is_moved_by_a_high_score_without_a_pass(scenario, sandbox, verdict):
    if "result" not in verdict:
        sandbox.codescreen_does("settings", metadata=False)
    scenario.set_policies(stage_on_pass=TARGET)
    scenario.evaluated_invitation(**verdict)
    scenario.work()
    assert not Effect.objects.filter(kind="move_stage").exists()
    assert scenario.stage_of() == FROM


def test_people_are_notified_once_when_a_regrade_fails_a_moved_candidate(scenario, sandbox, super_admin):
    scenario.set_policies(stage_on_pass=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    scenario.candidate_does("regrade", score=10, result="Failed")
    scenario.poll()
    scenario.work()
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert f"It was Passed, and the candidate was moved to “{TARGET}”. Now it is Failed." in note
    assert "alder" not in note.casefold()
    [email] = Effect.objects.filter(kind="send_email", email_topic="result_changed")
    assert super_admin.email in email.payload["recipients"]


def test_people_are_notified_when_a_regrade_comes_during_the_move(scenario, monkeypatch):
    scenario.set_policies(stage_on_pass=TARGET)
    invitation = scenario.evaluated_invitation(score=90, result="Passed")

    def regrade(*_):
        invitation.results.update(outcome="Failed")

    monkeypatch.setattr("integrations.lever.client.LeverClient.move_stage", regrade)
    scenario.work()
    assert Effect.objects.filter(kind="leave_note", key__contains="regraded:").count() == 1


def test_a_failed_candidate_is_moved_when_regraded_to_passed(scenario):
    scenario.set_policies(stage_on_pass=TARGET)
    scenario.evaluated_invitation(score=10, result="Failed")
    scenario.work()
    assert scenario.stage_of() == FROM
    scenario.candidate_does("regrade", score=90, result="Passed")
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)
