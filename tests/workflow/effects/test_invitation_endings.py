"""How sending an invitation ends without an answer: cancelled, failed or uncertain."""

from datetime import timedelta

from django.utils import timezone

from integrations.models import CodeScreenConnection, Effect
from integrations.models.leasing import MAX_CONSECUTIVE_CRASHES
from integrations.workflow.effects import send_invitation
from integrations.workflow.operations.effects import retry_effect
from integrations.workflow.outbox import retry_policy

ALDER = "alder@candidates.example"


def test_no_note_is_left_when_the_organization_wants_none(scenario, sandbox):
    scenario.organization.note_on_skip = False
    scenario.organization.save()
    scenario.codescreen_fails(status=422)
    scenario.pending_invitation()
    scenario.work()
    assert sandbox.opportunity("Alder")["note_texts"] == []


def test_a_withdrawn_invitation_is_not_sent(scenario, sandbox):
    invitation = scenario.pending_invitation()
    invitation.move("withdrawn", "The candidate left the stage.")
    scenario.work()
    assert (scenario.latest_effect().state, sandbox.invitations_sent()) == ("cancelled", 0)


def test_an_invitation_withdrawn_just_before_the_call_is_not_sent(scenario, sandbox, monkeypatch):
    invitation = scenario.pending_invitation()
    monkeypatch.setattr(
        send_invitation,
        "reason_not_to_send",
        lambda *_: scenario.reread(invitation).move("withdrawn", "left"),
    )
    scenario.work()
    effect = scenario.latest_effect()
    assert (effect.state, effect.leased_until, sandbox.invitations_sent()) == ("cancelled", None, 0)


def test_an_invitation_fails_when_the_retry_window_is_over(scenario, sandbox):
    scenario.codescreen_fails(status=503, times=5)
    invitation = scenario.pending_invitation()
    Effect.objects.update(created_at=timezone.now() - retry_policy.RETRY_FOR - timedelta(minutes=1))
    scenario.work()
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("failed", "failed")
    sandbox.codescreen_does("faults", seed=1, rules=[])
    retry_effect(scenario.latest_effect(), "test")
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_an_invitation_is_uncertain_when_the_retry_window_ends_after_lost_answers(scenario, sandbox):
    sandbox.codescreen_does("settings", idempotency=True)
    CodeScreenConnection.objects.update(idempotency=True)
    scenario.codescreen_fails(status=500, times=5)
    invitation = scenario.pending_invitation()
    Effect.objects.update(created_at=timezone.now() - retry_policy.RETRY_FOR - timedelta(minutes=1))
    scenario.work()
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("uncertain", "uncertain")


def test_an_invitation_fails_after_a_few_crashes_and_others_are_sent(scenario, sandbox, monkeypatch):
    crashing, other = scenario.pending_invitation("Alder"), scenario.pending_invitation("Tamarack")
    monkeypatch.setattr(
        "integrations.workflow.effects.send_invitation.reason_not_to_send",
        lambda invitation, _: "" if invitation.pk != crashing.pk else 1 / 0,
    )
    for _ in range(MAX_CONSECUTIVE_CRASHES + 3):
        scenario.work_waiting()
    effect = scenario.latest_effect(invitation=crashing)
    assert (effect.state, effect.attempts) == ("failed", MAX_CONSECUTIVE_CRASHES)
    assert "ZeroDivisionError" in effect.last_error
    assert effect.traceback
    assert scenario.reread(crashing).status == "failed"
    assert scenario.reread(other).status == "invited"


def test_an_invitation_is_uncertain_when_the_portal_crashed_during_the_call(scenario, sandbox, monkeypatch):
    invitation = scenario.pending_invitation()

    def crash(*_, **__):
        raise KeyError(ALDER)

    monkeypatch.setattr("integrations.codescreen.client.CodeScreenClient.send", crash)
    scenario.work()
    assert ALDER not in scenario.latest_effect().traceback + scenario.latest_effect().last_error
    scenario.work_waiting()
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("uncertain", "uncertain")
