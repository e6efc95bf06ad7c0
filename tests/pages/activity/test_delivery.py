"""The page of one delivery: who it is about, what a retry would give, and the retry."""

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from tests.support import factories
from tests.support.page_text import text


@pytest.fixture
def delivery(organization):
    """A delivery that came while Lever wasn't connected."""
    return factories.DeliveryFactory.create(
        organization=organization, verdict="disconnected", decided_at=timezone.now(), due_at=None
    )


def test_the_candidate_is_named_when_they_were_not_invited(super_admin_client, organization, delivery):
    url = reverse("delivery", args=[delivery.pk])
    assert "Name not read yet" in text(super_admin_client.get(url))
    factories.CandidateFactory.create(
        organization=organization, opportunity_id=delivery.opportunity_id, name="Candidate Elm"
    )
    assert "Candidate Elm</a>" in text(super_admin_client.get(url))


def test_previewing_and_retrying_say_what_would_happen(organization_admin_client, delivery):
    url = reverse("delivery", args=[delivery.pk])
    page = text(organization_admin_client.get(url, {"preview": 1}))
    assert "<strong>Not connected</strong>" in page
    assert "Retry now" in page
    delivery.refresh_from_db()
    before = delivery.decided_at
    assert "Retried: " in text(
        organization_admin_client.post(reverse("delivery-replay", args=[delivery.pk]), follow=True)
    )
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
    assert "Retry now" not in text(organization_admin_client.get(reverse("delivery", args=[delivery.pk])))
    assert "Only deliveries from Lever" in text(
        organization_admin_client.post(reverse("delivery-replay", args=[delivery.pk]), follow=True)
    )
