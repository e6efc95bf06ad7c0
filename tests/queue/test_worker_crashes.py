"""A row that kills its worker is claimed a few times, then given up where a person sees it; others are worked."""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.health import doctor
from integrations.inbox import decide_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.results import poll
from integrations.store.leasing import MAX_CONSECUTIVE_CRASHES
from tests.support import factories

AN_HOUR_AGO = timezone.now() - timedelta(hours=1)


class Killed(BaseException):
    """Ends the worker like a kill: no error handling of the worker runs."""


def kill_worker(*_, **__):
    raise Killed


def work_until_no_worker_dies(scenario, deaths=20):
    """Let one worker after another work due rows, each after the lease of the one before; return how many died."""
    died = 0
    for _ in range(deaths):
        for model in (Delivery, Effect):
            model.objects.filter(leased_until__isnull=False).update(leased_until=AN_HOUR_AGO)
        try:
            scenario.work()
        except Killed:
            died += 1
        else:
            return died
    return died


def test_a_delivery_that_kills_its_worker_is_given_up_others_are_decided_and_it_can_be_replayed(
    scenario, super_admin, monkeypatch
):
    crashing = factories.DeliveryFactory(organization=scenario.organization, event="other")
    decide = decide_delivery.decide_delivery

    def kill_or_decide(delivery, *more):
        if delivery.pk == crashing.pk:
            raise Killed
        return decide(delivery, *more)

    others = [factories.DeliveryFactory(organization=scenario.organization, event="other") for _ in range(3)]
    with monkeypatch.context() as patched:
        patched.setattr(decide_delivery, "decide_delivery", kill_or_decide)
        assert work_until_no_worker_dies(scenario) == MAX_CONSECUTIVE_CRASHES
    crashing.refresh_from_db()
    assert (crashing.due_at, crashing.verdict, crashing.is_stuck) == (None, "", True)
    assert "none finished" in crashing.last_error
    assert {Delivery.objects.get(pk=row.pk).verdict for row in others} == {"ignored_event"}
    assert "undecided_deliveries" in {found.code for found in doctor.findings(scenario.organization)}
    assert queue_acts.replay(crashing, super_admin).verdict == "ignored_event"
    crashing.refresh_from_db()
    assert (crashing.verdict, crashing.consecutive_crashes, crashing.last_error) == ("ignored_event", 0, "")


def test_an_invitation_is_uncertain_when_its_worker_died_during_the_call(scenario, monkeypatch):
    invitation = scenario.pending_invitation()
    monkeypatch.setattr("integrations.codescreen.client.CodeScreenClient.send", kill_worker)
    assert work_until_no_worker_dies(scenario) == 1
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("uncertain", "uncertain")
    assert scenario.latest_effect().attempt_started_at is not None


def test_an_invitation_fails_when_its_worker_died_before_the_call(scenario, monkeypatch):
    invitation = scenario.pending_invitation()
    monkeypatch.setattr("integrations.outbox.kinds.invitation.revalidate", kill_worker)
    assert work_until_no_worker_dies(scenario) == MAX_CONSECUTIVE_CRASHES
    assert (scenario.latest_effect().state, scenario.reread(invitation).status) == ("failed", "failed")
    assert scenario.sandbox.invitations_sent() == 0


def test_an_invitation_is_polled_less_often_when_polling_it_kills_workers(scenario, monkeypatch):
    invitation = factories.InvitationFactory(
        organization=scenario.organization, status="invited", instance_id="i1", next_poll_at=AN_HOUR_AGO
    )
    monkeypatch.setattr(poll, "refresh_progress", kill_worker)
    waits = []
    for _ in range(4):
        Invitation.objects.update(next_poll_at=AN_HOUR_AGO)
        with pytest.raises(Killed):
            scenario.work()
        waits.append((Invitation.objects.get().next_poll_at or AN_HOUR_AGO) - timezone.now())
    assert waits[0] < timedelta(seconds=46)
    assert all(later > 1.8 * earlier for earlier, later in itertools.pairwise(waits))
    invitation.refresh_from_db()
    assert invitation.poll_failures == 4
