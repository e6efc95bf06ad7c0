"""An invitation whose answer was lost is uncertain, or repeated with its idempotency key."""

import pytest

from integrations.codescreen.models import CodeScreenConnection
from integrations.http import deadlines, session
from tests.effects.conftest import sending_calls
from tests.support import factories

ALDER = "alder@candidates.example"
LOST = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 504},
    {"kind": "status", "status": 520},
    {"kind": "status", "status": 524},
    {"kind": "status_after", "status": 500},
    {"kind": "status_after", "status": 504},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "timeout_before"},
    {"kind": "timeout_after"},
    {"kind": "truncated"},
    {"kind": "html_after", "status": 200},
    {"kind": "html", "status": 502},
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


@pytest.mark.parametrize(
    "answer", [{}, [], "text", None, {"assessmentInstanceId": 5}, {"assessmentInstanceId": ""}]
)
def test_an_invitation_is_uncertain_when_the_answer_has_no_instance_id(scenario, monkeypatch, answer):
    monkeypatch.setattr(session.PlatformSession, "request", lambda *_, **__: answer)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("uncertain", "uncertain")


@pytest.mark.parametrize("rule", LOST, ids=_rule_name)
def test_a_lost_call_is_repeated_with_the_same_idempotency_key(scenario, sandbox, short_read_timeout, rule):
    sandbox.codescreen_does("settings", idempotency=True)
    CodeScreenConnection.objects.update(idempotency=True)
    keys = []
    send = session.PlatformSession.request

    def record_key(session, method, path, **more):
        if method == "POST" and path == "/assessments":
            keys.append(more["headers"]["Idempotency-Key"])
        return send(session, method, path, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session.PlatformSession, "request", record_key)
        scenario.codescreen_fails(**rule)
        invitation = scenario.pending_invitation()
        scenario.work()
        effect = scenario.latest_effect()
        assert (effect.state, scenario.reread(invitation).status) == ("due", "sending")
        assert effect.attempt_started_at is not None
        scenario.work_waiting()
    invitation = scenario.reread(invitation)
    assert (invitation.status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert keys == [invitation.external_id] * 2
    assert len(invitation.external_id) <= 255


@pytest.fixture
def unanswered(scenario, sandbox):
    """An account that honours the key, and an invitation whose first answer was lost after it arrived."""
    sandbox.codescreen_does("settings", idempotency=True)
    CodeScreenConnection.objects.update(idempotency=True)
    scenario.codescreen_fails(kind="status_after", status=500)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert scenario.reread(invitation).status == "sending"
    return invitation


def test_the_earlier_attempt_is_kept_when_a_repeat_is_answered_busy(scenario, sandbox, unanswered):
    scenario.codescreen_fails(status=503)
    scenario.work_waiting()
    effect = scenario.latest_effect()
    assert (effect.state, scenario.reread(unanswered).status) == ("due", "sending")
    assert effect.attempt_started_at is not None
    scenario.work_waiting()
    assert (scenario.reread(unanswered).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_an_invitation_is_uncertain_when_a_repeat_is_refused(scenario, sandbox, unanswered):
    scenario.codescreen_fails(status=422)
    scenario.work_waiting()
    assert (scenario.latest_effect().state, scenario.reread(unanswered).status) == ("uncertain", "uncertain")
    assert "earlier" in scenario.reread(unanswered).status_reason


def test_a_repeat_waits_when_the_key_is_refused(scenario, sandbox, unanswered, super_admin):
    scenario.codescreen_fails(status=401)
    scenario.work_waiting()
    assert (scenario.latest_effect().state, scenario.reread(unanswered).status) == ("due", "sending")
    CodeScreenConnection.objects.update(state="connected")
    scenario.work_waiting()
    assert (scenario.reread(unanswered).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_an_invitation_is_confirmed_when_a_repeat_is_answered_with_a_conflict(scenario, sandbox, unanswered):
    sandbox.codescreen_does("settings", idempotency=False, conflict_409=True)
    scenario.work_waiting()
    assert (scenario.reread(unanswered).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_an_invitation_is_uncertain_when_the_answer_to_the_published_call_was_lost(scenario, sandbox):
    CodeScreenConnection.objects.update(webhook_secret=factories.WEBHOOK_SECRET)
    rules = [
        {"method": "POST", "path": "/api/assessments$", "kind": "status", "status": 422, "times": 1},
        {"method": "POST", "path": "/api/assessments$", "kind": "reset_after", "times": 1},
    ]
    sandbox.codescreen_does("faults", seed=1, rules=rules)
    invitation = scenario.pending_invitation()
    scenario.work()
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("uncertain", 1)
