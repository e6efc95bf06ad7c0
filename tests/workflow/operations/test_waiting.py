"""Requeueing what waited for a pause to end or a connection to come back."""

from integrations.models import Delivery
from integrations.workflow.operations.waiting import requeue_waiting
from tests import factories


def test_requeueing_is_limited_to_the_organization(organization, stranger):
    other = stranger.memberships.get().organization
    rows = {}
    for where in (organization, other):
        for verdict in ("paused", "disconnected", "left_stage"):
            row = factories.DeliveryFactory(
                organization=where, verdict=verdict, decided_at="2026-01-01T00:00Z", due_at=None
            )
            rows[where.pk, verdict] = row
    assert requeue_waiting(organization) == 2
    woken = set(Delivery.objects.due().values_list("pk", flat=True))
    assert woken == {rows[organization.pk, "paused"].pk, rows[organization.pk, "disconnected"].pk}
