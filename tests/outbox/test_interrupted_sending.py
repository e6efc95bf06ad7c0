"""An invitation whose sending is interrupted: by a killed, late or stopped worker, or by the database."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from integrations.http import stop_signal
from integrations.http.session import PlatformError, PlatformSession
from integrations.invitations.models.invitation import Invitation
from integrations.outbox import perform
from integrations.outbox.kinds import invitation as sending
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from integrations.store import database
from tests.store.test_database import WriteDuringRestart
from tests.support import factories

ALDER = "alder@candidates.example"
UNCERTAIN = {"status": "uncertain"}
KNOWN = {"status": "in_progress", "instance_id": "instance-0"}


def test_a_worker_whose_lease_was_taken_over_sends_nothing(scenario, sandbox):
    invitation = scenario.pending_invitation()
    effect = factories.claimed(Effect, "slow")
    Effect.objects.filter(pk=effect.pk).update(
        lease_owner="another", leased_until=timezone.now() + timedelta(minutes=1)
    )
    worker.perform_effect(effect)
    assert sandbox.invitations_sent(ALDER) == 0
    assert scenario.reread(invitation).status == "pending"
    effect.refresh_from_db()
    assert (effect.lease_owner, effect.state, effect.attempt_started_at) == ("another", "due", None)


@pytest.mark.parametrize(
    ("answer", "meanwhile", "then"),
    [
        (PlatformError("busy", status=503), UNCERTAIN, ("uncertain", "uncertain", "")),
        (PlatformError("no", status=422, permanent=True), UNCERTAIN, ("uncertain", "uncertain", "")),
        (PlatformError("lost", ambiguous=True), UNCERTAIN, ("uncertain", "uncertain", "")),
        ("instance-1", UNCERTAIN, ("done", "invited", "instance-1")),
        ("instance-1", KNOWN, ("done", "in_progress", "instance-0")),
    ],
    ids=str,
)
def test_the_late_answer_to_a_worker_that_was_replaced_confirms_what_is_uncertain_and_nothing_else(
    scenario, monkeypatch, answer, meanwhile, then
):
    invitation = scenario.pending_invitation()
    effect = factories.claimed(Effect, "slow")

    def send(*_, **__):
        Invitation.objects.filter(pk=invitation.pk).update(**meanwhile)
        Effect.objects.filter(pk=effect.pk).update(
            state="uncertain", due_at=None, lease_owner="", leased_until=None
        )
        if isinstance(answer, PlatformError):
            raise answer
        return answer

    monkeypatch.setattr("integrations.codescreen.client.CodeScreenClient.send", send)
    worker.perform_effect(effect)
    effect.refresh_from_db()
    invitation = scenario.reread(invitation)
    assert (effect.state, invitation.status, invitation.instance_id) == then


# workers that are asked to stop leave no call of unknown outcome behind


def stop_during_call(monkeypatch, request_stop, number):
    """Request a stop when the call of that number has begun; return the list of calls that are made."""
    calls = []
    send = PlatformSession._send

    def send_and_stop(session, request, *rest):
        calls.append(f"{request.method} {request.url.removeprefix(session.base_url)}")
        if len(calls) == number:
            request_stop()
        return send(session, request, *rest)

    monkeypatch.setattr(PlatformSession, "_send", send_and_stop)
    return calls


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_nothing_is_called_after_a_stop_and_the_next_workers_send_the_invitation_once(
    scenario, sandbox, request_stop, monkeypatch, number
):
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="CodeScreen Assessment")
    invitation = scenario.pending_invitation(checked_at=timezone.now() - timedelta(hours=2))
    calls = stop_during_call(monkeypatch, request_stop, number)
    scenario.work()
    assert len(calls) == number
    invitation = scenario.reread(invitation)
    assert invitation.status == ("invited" if "POST /assessments" in calls else "pending")
    assert sandbox.invitations_sent(ALDER) == (invitation.status == "invited")
    stop_signal.discard()
    while scenario.work_waiting():
        pass
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert set(invitation.effects.values_list("state", "consecutive_crashes")) == {("done", 0)}


# the started attempt and the answer of an invitation are recorded while the database restarts


@pytest.fixture(autouse=True)
def _retry_without_pause(monkeypatch) -> None:
    monkeypatch.setattr(database, "PAUSE_SECONDS", 0.0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize(("module", "step"), [(sending, "_start_attempt"), (perform, "_record")])
def test_an_invitation_is_sent_once_when_the_database_restarts_around_the_call(
    scenario, sandbox, monkeypatch, module, step, is_committed
) -> None:
    restarting = WriteDuringRestart(getattr(module, step), [OperationalError()], is_committed)
    monkeypatch.setattr(module, step, restarting)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert not restarting.errors
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert scenario.latest_effect().state == "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
def test_a_refused_call_is_retried_when_the_database_restarts_while_it_is_recorded(
    scenario, sandbox, monkeypatch, is_committed
) -> None:
    monkeypatch.setattr(
        sending,
        "_revert_to_pending",
        WriteDuringRestart(sending._revert_to_pending, [OperationalError()], is_committed),
    )
    scenario.codescreen_fails(status=503)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert scenario.reread(invitation).status == "pending"
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
