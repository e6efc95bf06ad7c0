"""How sending an invitation ends without an answer: cancelled, failed or uncertain."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.http import deadlines, steps
from integrations.invitations.acts import invitations
from integrations.invitations.acts.invitations import retry_effect
from integrations.outbox.kinds import invitation as sending
from integrations.outbox.models.effect import Effect
from integrations.store.leasing import MAX_CONSECUTIVE_CRASHES
from tests.outbox.conftest import sending_calls

ALDER = "alder@candidates.example"


def test_an_invitation_withdrawn_just_before_the_call_is_not_sent(scenario, sandbox, monkeypatch):
    invitation = scenario.pending_invitation()
    monkeypatch.setattr(
        sending, "revalidate", lambda *_, **__: scenario.reread(invitation).move("withdrawn", "left")
    )
    scenario.work()
    effect = scenario.latest_effect()
    assert (effect.state, effect.leased_until, sandbox.invitations_sent()) == ("cancelled", None, 0)


def test_an_invitation_fails_when_the_retry_window_is_over(scenario, sandbox):
    scenario.codescreen_fails(status=503, times=5)
    invitation = scenario.pending_invitation()
    Effect.objects.update(created_at=timezone.now() - steps.RETRY_FOR - timedelta(minutes=1))
    scenario.work()
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("failed", "failed")
    sandbox.codescreen_does("faults", seed=1, rules=[])
    retry_effect(scenario.latest_effect(), "test")
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_an_invitation_fails_after_a_few_crashes_and_others_are_sent(scenario, monkeypatch):
    crashing, other = scenario.pending_invitation("Alder"), scenario.pending_invitation("Tamarack")
    monkeypatch.setattr(
        "integrations.outbox.kinds.invitation.revalidate",
        lambda _, invitation, *__, **___: None if invitation.pk != crashing.pk else 1 / 0,
    )
    for _ in range(MAX_CONSECUTIVE_CRASHES + 3):
        scenario.work_waiting()
    effect = scenario.latest_effect(invitation=crashing)
    assert (effect.state, effect.attempts) == ("failed", MAX_CONSECUTIVE_CRASHES)
    assert "ZeroDivisionError" in effect.last_error
    assert effect.traceback
    assert scenario.reread(crashing).status == "failed"
    assert scenario.reread(other).status == "invited"


def test_each_ending_is_mailed_also_after_sending_again(scenario):
    invitation = scenario.failed_invitation()
    scenario.codescreen_fails(status=422)
    invitations.send_again(invitation, "test")
    scenario.work()
    assert scenario.reread(invitation).status == "failed"
    mails = Effect.objects.filter(kind="send_email", email_topic="invitation_failed")
    assert list(mails.values_list("state", flat=True)) == ["done", "done"]


# an invitation whose answer was lost is uncertain


#: One of each way in which an answer is lost; `tests/http/test_session.py` has them all.
LOST = [
    {"kind": "status_after", "status": 504},
    {"kind": "reset_before"},
    {"kind": "timeout_after"},
    {"kind": "html_after", "status": 200},
]


@pytest.mark.parametrize("rule", LOST, ids=str)
def test_an_invitation_is_uncertain_and_not_repeated_when_the_answer_was_lost(
    scenario, sandbox, monkeypatch, rule
):
    monkeypatch.setattr(deadlines, "READ_SECONDS", 0.4)
    scenario.codescreen_fails(**rule)
    invitation = scenario.pending_invitation()
    scenario.work()
    sent = sandbox.invitations_sent(ALDER)
    assert sent <= 1
    effect = scenario.latest_effect()
    assert (effect.state, effect.due_at) == ("uncertain", None)
    assert effect.attempt_started_at is not None
    invitation = scenario.reread(invitation)
    assert invitation.status == "uncertain"
    assert invitation.status_reason.strip()
    for _ in range(3):
        scenario.work_waiting()
    assert sending_calls() == 1
    assert sandbox.invitations_sent(ALDER) == sent
    email = scenario.latest_effect("send_email")
    assert email.payload["recipients"] == [scenario.organization.memberships.get().user.email]
    assert "@" not in f"{email.payload['subject']} {email.payload['lines']}"
