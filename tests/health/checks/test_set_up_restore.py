"""Findings after a restored backup, each until its step is done."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from tests.health.rows import only_finding
from tests.support import factories


@pytest.fixture
def restored(healthy_organization: Organization) -> Organization:
    now = timezone.now()
    Organization.objects.update(
        rows_lost_from=now - timedelta(hours=2), rows_lost_until=now - timedelta(hours=1)
    )
    LeverConnection.objects.update(refreshed_at=now)
    return healthy_organization


def test_lever_is_to_be_connected_again_until_its_tokens_are_new(restored: Organization) -> None:
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(hours=3))
    finding = only_finding(restored)
    assert (finding.code, finding.level, finding.link_text) == (
        "lever_reconnect",
        "warning",
        "Connect Lever again",
    )
    LeverConnection.objects.update(refreshed_at=timezone.now())
    assert only_finding(restored).code == "ok"


@pytest.mark.parametrize("is_reported", [True, False])
def test_who_may_be_invited_already_is_counted_until_a_person_decides(
    restored: Organization, is_reported: bool
) -> None:
    if not is_reported:
        Organization.objects.update(rows_lost_from=None, rows_lost_until=None)
    now = timezone.now()
    LeverConnection.objects.update(first_connected_at=now - timedelta(days=2))
    for opportunity_id, days in [("o-1", 1), ("o-2", 0), ("before-connecting", 3)]:
        delivery = factories.DeliveryFactory.create(
            organization=restored,
            opportunity_id=opportunity_id,
            verdict="entered_before",
            decided_at=now,
            due_at=None,
        )
        Candidate.objects.create(
            organization=restored,
            opportunity_id=opportunity_id,
            entered_at=now - timedelta(days=days),
            delivery=delivery,
            # an earlier assessment, or round, explains nothing
            invitation=factories.InvitationFactory.create(organization=restored) if days == 1 else None,
        )
    finding = only_finding(restored)
    assert (finding.code, finding.message.split(" may")[0]) == ("possibly_invited", "3 candidates")
    assert ("manage.py restored" in finding.fix) is not is_reported
    Delivery.objects.exclude(opportunity_id="before-connecting").update(verdict="invite")
    assert only_finding(restored).code == "ok"
