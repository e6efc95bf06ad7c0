"""Who may be invited already, after a restored backup."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from tests.health.conftest import only_finding
from tests.support import factories


@pytest.mark.parametrize("is_reported", [True, False])
def test_who_may_be_invited_already_is_counted_until_a_person_decides(
    healthy_organization: Organization, is_reported: bool
) -> None:
    now = timezone.now()
    if is_reported:
        Organization.objects.update(
            rows_lost_from=now - timedelta(hours=2), rows_lost_until=now - timedelta(hours=1)
        )
    LeverConnection.objects.update(first_connected_at=now - timedelta(days=2), refreshed_at=now)
    for opportunity_id, days in [("o-1", 1), ("o-2", 0), ("before-connecting", 3)]:
        delivery = factories.DeliveryFactory.create(
            organization=healthy_organization,
            opportunity_id=opportunity_id,
            verdict="entered_before",
            decided_at=now,
            due_at=None,
        )
        Candidate.objects.create(
            organization=healthy_organization,
            opportunity_id=opportunity_id,
            entered_at=now - timedelta(days=days),
            delivery=delivery,
            # an earlier assessment, or round, explains nothing
            invitation=factories.InvitationFactory.create(organization=healthy_organization)
            if days == 1
            else None,
        )
    finding = only_finding(healthy_organization)
    assert (finding.code, finding.message.split(" may")[0]) == ("possibly_invited", "3 candidates")
    assert ("manage.py restored" in finding.fix) is not is_reported
    Delivery.objects.exclude(opportunity_id="before-connecting").update(verdict="invite")
    assert only_finding(healthy_organization).code == "ok"
