"""Enqueue the move to the stage on pass, and notify people when a Passed is taken back after it."""

from integrations.case.reconcile import changing
from integrations.catalog.models import RoleMapping
from integrations.invitations.acts.invitations import invite_again
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect

TARGET = "Phone screen"
FROM = "CodeScreen Assessment"


def test_people_are_notified_once_when_a_regrade_fails_a_moved_candidate(scenario, sandbox, super_admin):
    scenario.set_policies(stage_on_pass=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    scenario.candidate_does("regrade", score=10, result="Failed")
    scenario.poll()
    scenario.work()
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert f"changed after the candidate was moved to “{TARGET}”. Now it is: Failed." in note
    assert "alder" not in note.casefold()
    [email] = Effect.objects.filter(kind="send_email", email_topic="result_changed")
    assert super_admin.email in email.payload["recipients"]


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


def passed(scenario):
    scenario.candidate_does("start", "submit", "evaluate", score=90, result="Passed")


def test_stages_that_lead_to_each_other_send_each_assessment_once(scenario, sandbox):
    own, second = {"organization": scenario.organization, "role": "Backend Engineer"}, "CodeScreen Take-home"
    RoleMapping.objects.create(**own, stage=FROM, assessment="Backend", stage_on_pass=second)
    RoleMapping.objects.create(**own, stage=second, assessment="Frontend Developer", stage_on_pass=FROM)
    scenario.enter()
    passed(scenario)
    scenario.enter(stage=second)
    sandbox.codescreen_does(
        "candidate",
        action=["start", "submit", "evaluate"],
        email="alder@candidates.example",
        assessment="Frontend Developer",
        score=90,
        result="Passed",
    )
    scenario.poll()
    scenario.work()
    assert (scenario.stage_of(), scenario.moves_of()) == (FROM, 2)
    assert scenario.enter().verdict == "already_invited"
    assert sandbox.assessments_sent() == ["Backend", "Frontend Developer"]


def test_nobody_is_moved_again_by_a_later_round(scenario):
    RoleMapping.objects.create(
        organization=scenario.organization,
        role="Backend Engineer",
        stage=FROM,
        assessment="Backend",
        stage_on_pass="CodeScreen Take-home",
    )
    scenario.enter()
    passed(scenario)
    scenario.enter()
    invite_again(Invitation.objects.get(), "test")
    scenario.work()
    passed(scenario)
    assert Effect.objects.filter(kind="move_stage").count() == 2
    assert (scenario.stage_of(), scenario.moves_of()) == (FROM, 1)
    assert scenario.latest_effect("move_stage").last_error.startswith(
        "The candidate was moved for this assessment before."
    )
