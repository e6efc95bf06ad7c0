"""Candidates who may be invited already are offered on the pages, and invited by a person."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models import RoleMapping
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.queue import acts as queue_acts

OFFERED = "/activity/?view=not_invited&reason=entered_before"


@pytest.fixture
def offered(scenario, sandbox) -> Delivery:
    """The delivery of a candidate who entered the stage before Lever was connected."""
    RoleMapping.objects.create(
        organization=scenario.organization, role="Backend Engineer", assessment="Backend"
    )
    sandbox.lever_does("settings", webhooks_enabled=False)
    scenario.place("Alder")
    sandbox.set_entered_at("Alder", timezone.now() - timedelta(days=3))
    queue_acts.sweep_organization(scenario.organization)
    scenario.work()
    return Delivery.objects.get(event="sweep", verdict="entered_before")


def test_an_admin_invites_those_the_sweep_offers(offered, scenario, sandbox, organization_admin_client):
    assert "Invite this candidate" in organization_admin_client.get(OFFERED).content.decode()
    address = reverse("offered-invite", args=[offered.pk])
    answer = organization_admin_client.post(address, {"next": OFFERED}, follow=True)
    assert "1 candidate will be decided now" in answer.content.decode()
    scenario.work()
    assert sandbox.invitations_sent() == 1
    verdicts = offered.verdicts.order_by("pk").values_list("code", "cause")
    assert list(verdicts) == [("entered_before", "sweep"), ("invite", "chosen")]
    assert AuditEntry.objects.filter(action="invite_offered").count() == 1
    again = organization_admin_client.post(address, follow=True)
    assert "There is nobody left to choose" in again.content.decode()


def test_a_team_member_sees_the_offer_and_a_stranger_takes_none(
    offered, scenario, team_member_client, stranger_client
):
    page = team_member_client.get(OFFERED).content.decode()
    assert "Candidate Alder" in page
    assert "Invite this candidate" not in page
    stranger_client.post(reverse("offered-invite", args=[offered.pk]))
    scenario.work()
    assert not Invitation.objects.exists()


def test_who_left_the_stage_is_offered_no_longer(offered, scenario):
    scenario.place("Alder", "Phone screen")
    queue_acts.sweep_organization(scenario.organization)
    scenario.work()
    offered.refresh_from_db()
    assert offered.verdict == "left_stage"
    assert list(offered.verdicts.values_list("cause", flat=True)) == ["read_again", "sweep"]
