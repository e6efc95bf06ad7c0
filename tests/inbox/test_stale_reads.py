"""A candidate leaves the stage while an older read of them is acted on: they aren't invited."""

from datetime import timedelta

from django.utils import timezone

from integrations.clients import provider
from integrations.inbox import decide_delivery, sweep
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.queue import acts as queue_acts
from integrations.queue import worker
from tests.clients.fakes import FakeClients
from tests.support import factories

ELSEWHERE = "Phone screen"


def test_a_candidate_who_leaves_while_another_worker_decides_is_not_invited(scenario, sandbox, monkeypatch):
    scenario.move()
    entered = factories.claimed(Delivery, "slow")
    clients = provider.ClientProvider(scenario.organization)
    lever = clients.lever()
    read = lever.opportunity

    def read_while_candidate_leaves(opportunity_id):
        opportunity = read(opportunity_id)
        scenario.move(stage=ELSEWHERE)
        assert worker.work(most=1) == 1
        return opportunity

    monkeypatch.setattr(lever, "opportunity", read_while_candidate_leaves)
    decide_delivery.handle_delivery(entered, FakeClients(scenario.organization, lever=lever))
    scenario.work()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("withdrawn", 0)


def test_a_candidate_who_leaves_during_the_sweep_is_not_invited(scenario, sandbox):
    scenario.move().delete()
    began = timezone.now() - timedelta(seconds=5)
    [listed] = queue_acts.opportunities(scenario.organization, 1, email="alder@candidates.example")
    scenario.move(stage=ELSEWHERE)
    scenario.work()
    assert sweep._repair(scenario.organization, listed, provider.ClientProvider(scenario.organization), began)
    scenario.work()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("withdrawn", 0)


def test_a_candidate_who_leaves_while_codescreen_answers_429_is_not_invited(scenario, sandbox):
    scenario.move()
    scenario.codescreen_fails(status=429)
    assert worker.work(most=2) == 2
    assert Invitation.objects.get().status == "pending"
    Invitation.objects.update(status="sending")  # as the leaving finds it while the call is on its way
    scenario.move(stage=ELSEWHERE)
    scenario.work()
    Invitation.objects.update(status="pending")
    scenario.work_waiting()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("withdrawn", 0)
