"""Send an invitation exactly once, whatever CodeScreen answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.http import deadlines, session
from integrations.http.errors import PlatformError
from integrations.models import ApiCall, CodeScreenConnection, Effect, Invitation
from integrations.models.leasing import MAX_CONSECUTIVE_CRASHES
from integrations.queue import worker
from integrations.workflow.effects import send_invitation
from integrations.workflow.health import incidents
from integrations.workflow.operations import invitations
from integrations.workflow.operations.codescreen_connection import save_codescreen_key
from integrations.workflow.operations.effects import retry_effect
from integrations.workflow.operations.policies import set_policies
from integrations.workflow.outbox import enqueue, retry_policy
from integrations.workflow.results import invited
from tests import factories

ALDER = "alder@candidates.example"
CLOSED_PORT = "http://127.0.0.1:9"  # the discard port: nothing listens


def sending_calls():
    """Return how many calls that send an invitation were made, answered or not."""
    return ApiCall.objects.filter(platform="codescreen", method="POST").count()


def test_a_pending_invitation_is_sent(scenario, sandbox):
    invitation = scenario.pending_invitation()
    scenario.work()
    invitation = scenario.reread(invitation)
    assert (invitation.status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert invitation.instance_id
    assert invitation.invited_at is not None
    assert invitation.next_poll_at > timezone.now()
    effect = scenario.latest_effect()
    assert (effect.state, effect.attempts) == ("done", 1)
    assert effect.done_at is not None


# certain not to have arrived: tried again


def test_an_invitation_is_retried_when_the_connection_is_refused(scenario, sandbox, settings):
    address = settings.CODESCREEN_API_URL
    settings.CODESCREEN_API_URL = CLOSED_PORT
    invitation = scenario.pending_invitation()
    scenario.work()
    effect = scenario.latest_effect()
    assert (effect.state, effect.attempt_started_at, scenario.reread(invitation).status) == (
        "due",
        None,
        "pending",
    )
    assert "did not answer" in effect.last_error
    assert effect.due_at > timezone.now()
    settings.CODESCREEN_API_URL = address
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


@pytest.mark.parametrize("status", [503, 429, 408, 425])
def test_an_invitation_is_retried_after_the_time_codescreen_asks_for(scenario, sandbox, status):
    scenario.codescreen_fails(status=status, retry_after=120)
    invitation = scenario.pending_invitation()
    scenario.work()
    effect = scenario.latest_effect()
    assert (effect.state, effect.attempt_started_at, scenario.reread(invitation).status) == (
        "due",
        None,
        "pending",
    )
    wait = effect.due_at - timezone.now()
    assert timedelta(seconds=110) < wait <= timedelta(seconds=121)
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert scenario.latest_effect().attempts == 2


# perhaps arrived: never repeated by itself

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
    assert "@" not in email.payload["subject"] + " ".join(email.payload["lines"]).replace("//testserver", "")


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
def invitation_with_lost_answer(scenario, sandbox):
    """An account that honours the key, and an invitation whose first answer was lost after it arrived."""
    sandbox.codescreen_does("settings", idempotency=True)
    CodeScreenConnection.objects.update(idempotency=True)
    scenario.codescreen_fails(kind="status_after", status=500)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert scenario.reread(invitation).status == "sending"
    return invitation


def test_the_earlier_attempt_is_kept_when_a_repeat_is_answered_busy(
    scenario, sandbox, invitation_with_lost_answer
):
    scenario.codescreen_fails(status=503)
    scenario.work_waiting()
    effect = scenario.latest_effect()
    assert (effect.state, scenario.reread(invitation_with_lost_answer).status) == ("due", "sending")
    assert effect.attempt_started_at is not None
    scenario.work_waiting()
    assert (scenario.reread(invitation_with_lost_answer).status, sandbox.invitations_sent(ALDER)) == (
        "invited",
        1,
    )


def test_an_invitation_is_uncertain_when_a_repeat_is_refused(scenario, sandbox, invitation_with_lost_answer):
    scenario.codescreen_fails(status=422)
    scenario.work_waiting()
    assert (scenario.latest_effect().state, scenario.reread(invitation_with_lost_answer).status) == (
        "uncertain",
        "uncertain",
    )
    assert "earlier" in scenario.reread(invitation_with_lost_answer).status_reason


def test_a_repeat_waits_when_the_key_is_refused(scenario, sandbox, invitation_with_lost_answer, super_admin):
    scenario.codescreen_fails(status=401)
    scenario.work_waiting()
    assert (scenario.latest_effect().state, scenario.reread(invitation_with_lost_answer).status) == (
        "due",
        "sending",
    )
    CodeScreenConnection.objects.update(state="connected")
    scenario.work_waiting()
    assert (scenario.reread(invitation_with_lost_answer).status, sandbox.invitations_sent(ALDER)) == (
        "invited",
        1,
    )


def test_an_invitation_is_confirmed_when_a_repeat_is_answered_with_a_conflict(
    scenario, sandbox, invitation_with_lost_answer
):
    sandbox.codescreen_does("settings", idempotency=False, conflict_409=True)
    scenario.work_waiting()
    assert (scenario.reread(invitation_with_lost_answer).status, sandbox.invitations_sent(ALDER)) == (
        "invited",
        1,
    )


# an answer that is a no


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 302])
def test_an_invitation_fails_and_a_note_is_left_when_codescreen_refuses_it(scenario, sandbox, status):
    scenario.codescreen_fails(status=status)
    invitation = scenario.pending_invitation()
    scenario.work()
    effect = scenario.latest_effect()
    assert (effect.state, scenario.reread(invitation).status) == ("failed", "failed")
    assert str(status) in effect.last_error
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert "could not be sent" in note
    assert "@" not in note
    assert "Alder" not in note
    scenario.work_waiting()
    assert sending_calls() == 1


@pytest.mark.parametrize("status", [400, 422])
def test_the_published_call_is_sent_when_codescreen_refuses_the_external_id(scenario, sandbox, status):
    CodeScreenConnection.objects.update(webhook_secret=factories.WEBHOOK_SECRET)
    scenario.codescreen_fails(status=status)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert sending_calls() == 2
    assert scenario.latest_effect().attempts == 1


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


def test_no_note_is_left_when_the_organization_wants_none(scenario, sandbox):
    scenario.organization.note_on_skip = False
    scenario.organization.save()
    scenario.codescreen_fails(status=422)
    scenario.pending_invitation()
    scenario.work()
    assert sandbox.opportunity("Alder")["note_texts"] == []


def test_an_invitation_waits_for_a_new_key_when_the_key_is_refused(scenario, sandbox, super_admin):
    CodeScreenConnection.objects.update(api_key="wrong")
    invitation = scenario.pending_invitation()
    scenario.work()
    scenario.work_waiting()
    effect = scenario.latest_effect()
    assert (effect.state, effect.attempts, scenario.reread(invitation).status) == ("due", 0, "pending")
    connection = CodeScreenConnection.objects.get()
    assert connection.state == "refused"
    for _ in range(2):
        incidents.update_incidents(scenario.organization)
    assert Effect.objects.filter(kind="send_email").count() == 1
    assert sending_calls() == 1
    save_codescreen_key(scenario.organization, sandbox.api_key, super_admin)
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_a_pause_holds_an_invitation_that_waited_for_a_key(scenario, sandbox, super_admin):
    CodeScreenConnection.objects.update(api_key="wrong")
    scenario.pending_invitation()
    scenario.work()
    set_policies(scenario.organization, {"paused": True}, super_admin)
    save_codescreen_key(scenario.organization, sandbox.api_key, super_admin)
    scenario.work_waiting()
    assert (scenario.latest_effect().state, sandbox.invitations_sent()) == ("due", 0)


# CodeScreen has the person already


def test_an_invitation_is_confirmed_when_a_conflict_names_its_instance(scenario, sandbox):
    sandbox.codescreen_does("settings", conflict_409=True)
    invitation = scenario.pending_invitation()
    scenario.work()
    instance = scenario.reread(invitation).instance_id
    Invitation.objects.filter(pk=invitation.pk).update(status="uncertain", instance_id="")
    invitations.send_again(invitation, "test")
    scenario.work()
    again = scenario.reread(invitation)
    assert (again.status, again.instance_id, sandbox.invitations_sent(ALDER)) == ("invited", instance, 1)


def test_an_invitation_fails_when_a_conflict_names_another_invitations_instance(scenario, sandbox):
    sandbox.codescreen_does("settings", conflict_409=True)
    scenario.pending_invitation()
    scenario.work()
    second = scenario.pending_invitation("Tamarack", email=ALDER)
    scenario.work()
    second = scenario.reread(second)
    assert (second.status, second.instance_id) == ("failed", "")
    assert "already" in second.status_reason
    assert scenario.latest_effect().state == "failed"
    assert sandbox.invitations_sent(ALDER) == 1


# killed, replaced, late


def leave_as_killed_while_sending(scenario, invitation):
    """Leave the rows as a worker does that is killed after it recorded the started attempt."""
    Invitation.objects.filter(pk=invitation.pk).update(status="sending")
    Effect.objects.filter(pk=scenario.latest_effect().pk).update(
        attempt_started_at=timezone.now(),
        leased_until=timezone.now() - timedelta(seconds=1),
        lease_owner="gone",
        attempts=1,
    )


def test_an_invitation_is_uncertain_when_its_worker_was_killed_while_sending(scenario, sandbox):
    invitation = scenario.pending_invitation()
    leave_as_killed_while_sending(scenario, invitation)
    scenario.work()
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("uncertain", "uncertain")
    assert sending_calls() == 0
    assert sandbox.invitations_sent(ALDER) == 0


def test_an_invitation_is_resent_when_its_worker_was_killed_and_the_key_is_honoured(scenario, sandbox):
    sandbox.codescreen_does("settings", idempotency=True)
    CodeScreenConnection.objects.update(idempotency=True)
    invitation = scenario.pending_invitation()
    Effect.objects.filter(pk=scenario.latest_effect().pk).update(payload={"idempotent": True})
    leave_as_killed_while_sending(scenario, invitation)
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_a_call_without_an_idempotency_key_is_not_repeated_with_one(scenario, sandbox):
    sandbox.codescreen_does("settings", idempotency=True)
    invitation = scenario.pending_invitation()
    leave_as_killed_while_sending(scenario, invitation)
    CodeScreenConnection.objects.update(idempotency=True)
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("uncertain", 0)


def test_an_invitation_is_sent_when_its_worker_was_killed_before_the_attempt_started(scenario, sandbox):
    invitation = scenario.pending_invitation()
    Effect.objects.filter(pk=scenario.latest_effect().pk).update(
        leased_until=timezone.now() - timedelta(seconds=1), lease_owner="gone", attempts=1
    )
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def claimed_effect():
    """Return the effect as claimed by a worker that will outlive its lease."""
    return factories.claimed(Effect, "slow")


def take_over_lease(effect):
    """Let another worker take the effect over."""
    Effect.objects.filter(pk=effect.pk).update(
        lease_owner="another", leased_until=timezone.now() + timedelta(minutes=1)
    )


def test_a_worker_whose_lease_was_taken_over_sends_nothing(scenario, sandbox):
    invitation = scenario.pending_invitation()
    effect = claimed_effect()
    take_over_lease(effect)
    worker.perform_effect(effect)
    assert sandbox.invitations_sent(ALDER) == 0
    assert scenario.reread(invitation).status == "pending"
    effect.refresh_from_db()
    assert (effect.lease_owner, effect.state, effect.attempt_started_at) == ("another", "due", None)


@pytest.mark.parametrize(
    "error",
    [
        PlatformError("busy", status=503),
        PlatformError("no", status=422, permanent=True),
        PlatformError("no key", status=401, permanent=True),
        PlatformError("lost", ambiguous=True),
    ],
    ids=str,
)
def test_a_worker_that_was_replaced_during_the_call_changes_nothing(scenario, monkeypatch, error):
    invitation = scenario.pending_invitation()
    effect = claimed_effect()

    def send(*_, **__):
        take_over_lease(effect)
        Invitation.objects.filter(pk=invitation.pk).update(status="uncertain")
        Effect.objects.filter(pk=effect.pk).update(
            state="uncertain", due_at=None, lease_owner="", leased_until=None
        )
        raise error

    monkeypatch.setattr("integrations.codescreen.client.CodeScreenClient.send", send)
    worker.perform_effect(effect)
    effect.refresh_from_db()
    assert (effect.state, scenario.reread(invitation).status) == ("uncertain", "uncertain")


def test_an_uncertain_invitation_is_confirmed_by_a_late_answer(scenario, monkeypatch):
    invitation = scenario.pending_invitation()
    effect = claimed_effect()

    def send(*_, **__):
        Invitation.objects.filter(pk=invitation.pk).update(status="uncertain")
        Effect.objects.filter(pk=effect.pk).update(
            state="uncertain", due_at=None, lease_owner="", leased_until=None
        )
        return "instance-1"

    monkeypatch.setattr("integrations.codescreen.client.CodeScreenClient.send", send)
    worker.perform_effect(effect)
    effect.refresh_from_db()
    assert (effect.state, scenario.reread(invitation).status) == ("done", "invited")


def test_an_invitation_is_confirmed_when_a_webhook_arrives_before_the_answer_is_lost(scenario, monkeypatch):
    invitation = scenario.pending_invitation()

    def send(*_, **__):
        invited.mark_invited(scenario.reread(invitation), "instance-1")
        raise PlatformError("lost", ambiguous=True)

    monkeypatch.setattr("integrations.codescreen.client.CodeScreenClient.send", send)
    scenario.work()
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("done", "invited")
    assert scenario.latest_effect().traceback == ""


# no longer wanted


@pytest.fixture
def old_invitation(scenario, sandbox):
    """An invitation that was decided five minutes ago, of a candidate in the stage."""
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="CodeScreen Assessment")
    return scenario.pending_invitation(checked_at=timezone.now() - timedelta(minutes=5))


def test_an_old_invitation_is_sent_when_the_candidate_is_still_in_the_stage(
    scenario, sandbox, old_invitation
):
    scenario.work()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


@pytest.mark.parametrize("change", ["left", "archived", "anonymized", "deleted"])
def test_an_old_invitation_is_withdrawn_when_the_candidate_has_left(
    scenario, sandbox, old_invitation, change
):
    candidate = sandbox.opportunity_id("Alder")
    match change:
        case "left":
            sandbox.lever_does("move", opportunities=[candidate], stage="Phone screen")
        case "archived":
            sandbox.lever_does("archive", opportunities=[candidate], reason="Withdrew")
        case "anonymized":
            sandbox.lever_does("anonymize", opportunities=[candidate])
        case "deleted":
            sandbox.lever_does("delete", opportunities=[candidate])
    scenario.work()
    invitation = scenario.reread(old_invitation)
    assert invitation.status == "withdrawn"
    assert invitation.status_reason
    assert (scenario.latest_effect().state, sandbox.invitations_sent()) == ("cancelled", 0)


def test_an_old_invitation_waits_when_lever_does_not_answer(scenario, sandbox, old_invitation):
    scenario.lever_fails("/opportunities/", method="GET", status=503, times=5)
    scenario.work()
    assert (
        scenario.latest_effect().state,
        scenario.reread(old_invitation).status,
        sandbox.invitations_sent(),
    ) == (
        "due",
        "pending",
        0,
    )
    scenario.lever_fails("nothing")
    scenario.work_waiting()
    assert sandbox.invitations_sent(ALDER) == 1


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


def test_no_invitation_is_sent_while_the_organization_is_paused(scenario, sandbox, super_admin):
    set_policies(scenario.organization, {"paused": True}, super_admin)
    scenario.pending_invitation()
    scenario.work()
    assert (scenario.latest_effect().state, sandbox.invitations_sent()) == ("due", 0)
    set_policies(scenario.organization, {"paused": False}, super_admin)
    scenario.work()
    assert sandbox.invitations_sent() == 1


# given up: the row says so, and a person can go on from there


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


# the extensions are used only where the account has them


@pytest.mark.parametrize(
    ("account", "has_external_id", "has_key"),
    [
        ({}, False, False),
        ({"webhook_secret": factories.WEBHOOK_SECRET}, True, False),
        ({"idempotency": True}, True, True),
    ],
)
def test_only_the_extensions_that_the_account_supports_are_sent(
    scenario, monkeypatch, account, has_external_id, has_key
):
    connection = CodeScreenConnection.objects.get()
    for name, value in account.items():
        setattr(connection, name, value)
    connection.save()
    sent: dict[str, Any] = {}

    def record(session, method, path, *, payload, headers):
        sent.update(payload=payload, headers=headers)
        return {"assessmentInstanceId": "instance-1"}

    invitation = scenario.pending_invitation()
    enqueue.enqueue(scenario.organization, "set_progress_tag", "x")
    monkeypatch.setattr(session.PlatformSession, "request", record)
    effect = factories.claimed(Effect, "me")
    worker.perform_effect(effect)
    assert set(sent["payload"]) - {"externalId"} == {"assessmentId", "firstName", "lastName", "email"}
    assert sent["payload"].get("externalId", "") == (invitation.external_id if has_external_id else "")
    assert ("Idempotency-Key" in sent["headers"]) is has_key
    assert sent["headers"]["Authorization"].startswith("apiKey ")
