"""A worker that sends an invitation is killed, replaced or late."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.http.session import PlatformError
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from tests.outbox.conftest import sending_calls
from tests.support import factories

ALDER = "alder@candidates.example"


def leave_as_killed_while_sending(scenario, invitation):
    """Leave the rows as a worker does that is killed after it recorded the started attempt."""
    Invitation.objects.filter(pk=invitation.pk).update(status="sending", first_call_at=timezone.now())
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


def take_over_lease(effect):
    """Let another worker take the effect over."""
    Effect.objects.filter(pk=effect.pk).update(
        lease_owner="another", leased_until=timezone.now() + timedelta(minutes=1)
    )


def test_a_worker_whose_lease_was_taken_over_sends_nothing(scenario, sandbox):
    invitation = scenario.pending_invitation()
    effect = factories.claimed(Effect, "slow")
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
        PlatformError("lost", ambiguous=True),
    ],
    ids=str,
)
def test_a_worker_that_was_replaced_during_the_call_changes_nothing(scenario, monkeypatch, error):
    invitation = scenario.pending_invitation()
    effect = factories.claimed(Effect, "slow")

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
    effect = factories.claimed(Effect, "slow")

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
