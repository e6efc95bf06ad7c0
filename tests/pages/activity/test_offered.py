"""Candidates who may be invited already are offered on the pages, and invited by a person."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.queue import acts as queue_acts
from integrations.queue import worker

OFFERED = "/activity/?view=not_invited&reason=entered_before"


@pytest.fixture
def offered(connected_organization, sandbox):
    """The delivery of a candidate who entered a minute before Lever was first connected."""
    sandbox.lever_does("settings", webhooks_enabled=False)
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="CodeScreen Assessment")
    connected_at = LeverConnection.objects.get().first_connected_at or timezone.now()
    sandbox.set_entered_at("Alder", connected_at - timedelta(minutes=1))
    assert queue_acts.sweep_organization(connected_organization) == 0
    worker.work()
    return Delivery.objects.get(event="sweep")


def invite_address(delivery) -> str:
    """Return the address of the button."""
    return reverse("offered-invite", args=[delivery.pk])


def test_a_candidate_from_before_the_connection_is_offered_and_not_invited(
    offered, sandbox, super_admin_client
):
    assert offered.verdict == "entered_before"
    assert not Invitation.objects.exists()
    assert sandbox.opportunity("Alder")["note_texts"] == []
    assert "Invite this candidate" in super_admin_client.get(OFFERED).content.decode()


def test_an_admin_invites_those_the_sweep_offers(offered, sandbox, organization_admin_client):
    answer = organization_admin_client.post(invite_address(offered), {"next": OFFERED}, follow=True)
    assert "1 candidate will be decided now" in answer.content.decode()
    worker.work()
    assert sandbox.invitations_sent() == 1
    verdicts = offered.verdicts.order_by("pk").values_list("code", "cause")
    assert list(verdicts) == [("entered_before", "sweep"), ("invite", "chosen")]
    assert AuditEntry.objects.filter(action="invite_offered").count() == 1
    again = organization_admin_client.post(invite_address(offered), follow=True)
    assert "There is nobody left to choose" in again.content.decode()


def test_a_team_member_sees_the_offer_and_may_not_take_it(offered, team_member_client, stranger_client):
    assert "Invite this candidate" not in team_member_client.get(OFFERED).content.decode()
    assert team_member_client.post(invite_address(offered)).status_code == 403
    stranger_client.post(invite_address(offered))
    worker.work()
    assert not Invitation.objects.exists()


def test_who_left_the_stage_is_offered_no_longer(offered, connected_organization, sandbox):
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="Phone screen")
    queue_acts.sweep_organization(connected_organization)
    worker.work()
    offered.refresh_from_db()
    assert offered.verdict == "left_stage"
    assert list(offered.verdicts.values_list("cause", flat=True)) == ["read_again", "sweep"]


def test_who_enters_again_is_invited(offered, connected_organization, sandbox):
    for stage in ("Phone screen", "CodeScreen Assessment"):
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage=stage)
    Delivery.objects.update(received_at=timezone.now() - timedelta(hours=1))
    assert queue_acts.sweep_organization(connected_organization) == 1
