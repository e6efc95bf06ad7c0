"""Workers that are asked to stop leave no call of unknown outcome behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.http import stop_signal
from integrations.http.session import PlatformSession

ALDER = "alder@candidates.example"


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
