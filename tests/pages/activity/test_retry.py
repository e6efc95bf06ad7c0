"""The retry of a delivery."""

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from tests.support import factories
from tests.support.page_text import text


@pytest.fixture
def delivery(organization):
    """A delivery of somebody without an e-mail address, before Lever was disconnected."""
    return factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id="o-1",
        verdict="no_email",
        decided_at=timezone.now(),
        due_at=None,
    )


def test_retrying_says_what_happened(organization_admin_client, delivery):
    before = delivery.decided_at
    url = reverse("delivery-replay", args=[delivery.pk])
    assert "Retried: " in text(organization_admin_client.post(url, follow=True))
    assert Delivery.objects.get(pk=delivery.pk).decided_at > before


def test_retrying_is_only_for_levers_deliveries(organization_admin_client, organization):
    delivery = factories.DeliveryFactory.create(
        organization=organization,
        platform="codescreen",
        event="assessment.completed",
        verdict="noted",
        decided_at=timezone.now(),
        due_at=None,
    )
    assert "Only deliveries from Lever" in text(
        organization_admin_client.post(reverse("delivery-replay", args=[delivery.pk]), follow=True)
    )
