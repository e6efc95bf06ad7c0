"""Lever tells that a candidate has left while an older read of them is acted on: nobody is invited by it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients import provider
from integrations.models import Delivery, Invitation
from integrations.queue import on_request, worker
from integrations.workflow.inbox import handle_delivery, sweep
from tests import factories
from tests.clients.fakes import FakeClients

STAGE, ELSEWHERE = "CodeScreen Assessment", "Phone screen"


@pytest.fixture
def move(scenario, sandbox):
    """Move a candidate and return the delivery that tells of it."""
    sandbox.lever_does("settings", webhooks_enabled=False)
    opportunity_id = sandbox.opportunity_id("Alder")

    def moved(stage):
        sandbox.lever_does("move", opportunities=[opportunity_id], stage=stage)
        data = {"opportunityId": opportunity_id, "toStageId": sandbox.stage_id(stage)}
        return factories.DeliveryFactory(
            organization=scenario.organization,
            opportunity_id=opportunity_id,
            payload={"event": "candidateStageChange", "data": data},
        )

    return moved


def test_who_leaves_while_another_worker_decides(scenario, sandbox, move, monkeypatch):
    move(STAGE)
    entered = factories.claimed(Delivery, "slow")
    clients = provider.clients_for(scenario.organization)
    lever = clients.lever()
    read = lever.opportunity

    def slowly(opportunity_id):
        found = read(opportunity_id)
        move(ELSEWHERE)
        assert worker.work(most=1) == 1
        return found

    monkeypatch.setattr(lever, "opportunity", slowly)
    handle_delivery.handle_delivery(entered, FakeClients(scenario.organization, lever=lever))
    scenario.work()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("withdrawn", 0)


def test_who_leaves_while_the_sweep_goes_through_its_list(scenario, sandbox, move):
    move(STAGE).delete()
    began = timezone.now() - timedelta(seconds=5)
    [listed] = on_request.opportunities_with_address(scenario.organization, "alder@candidates.example", 1)
    move(ELSEWHERE)
    scenario.work()
    assert sweep._repair(scenario.organization, listed, provider.clients_for(scenario.organization), began)
    scenario.work()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("withdrawn", 0)


def test_who_leaves_while_codescreen_is_asked_and_says_not_now(scenario, sandbox, move):
    move(STAGE)
    scenario.codescreen_fails(status=429)
    assert worker.work(most=2) == 2
    assert Invitation.objects.get().status == "pending"
    Invitation.objects.update(status="sending")  # as the leaving finds it while the call is on its way
    move(ELSEWHERE)
    scenario.work()
    Invitation.objects.update(status="pending")
    scenario.work_waiting()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("withdrawn", 0)


def test_without_news_nobody_is_read_twice(scenario, sandbox, move):
    move(STAGE)
    Delivery.objects.update(received_at=timezone.now() - timedelta(seconds=1))
    scenario.work()
    reads = scenario.organization.calls.filter(method="GET", path__contains="/opportunities/")
    assert (Invitation.objects.get().status, reads.count()) == ("invited", 1)
