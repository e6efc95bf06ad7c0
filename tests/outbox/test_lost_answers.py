"""An invitation whose answer was lost is uncertain."""

import pytest

from integrations.http import deadlines, session
from tests.outbox.conftest import sending_calls

ALDER = "alder@candidates.example"
#: One of each way in which an answer is lost; `tests/http/test_session.py` has them all.
LOST = [
    {"kind": "status_after", "status": 504},
    {"kind": "reset_before"},
    {"kind": "timeout_after"},
    {"kind": "html_after", "status": 200},
]


def _rule_name(rule):
    return " ".join(str(value) for value in rule.values())


@pytest.fixture
def short_read_timeout(monkeypatch):
    """A short read time-out."""
    monkeypatch.setattr(deadlines, "READ_SECONDS", 0.4)


@pytest.mark.parametrize("rule", LOST, ids=_rule_name)
def test_an_invitation_is_uncertain_and_not_repeated_when_the_answer_was_lost(
    scenario, sandbox, short_read_timeout, rule
):
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


@pytest.mark.parametrize("answer", [[], {"assessmentInstanceId": ""}])
def test_an_invitation_is_uncertain_when_the_answer_has_no_instance_id(scenario, monkeypatch, answer):
    monkeypatch.setattr(session.PlatformSession, "request", lambda *_, **__: answer)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("uncertain", "uncertain")
