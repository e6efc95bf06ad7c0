"""What a retry would give, on the candidate's page, and the retry."""

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.queue import acts as queue_acts
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


def test_a_preview_is_answered_on_the_candidates_page_and_writes_nothing(organization_admin_client, delivery):
    page = text(organization_admin_client.get("/activity/o-1/", {"preview": 1}))
    assert "A retry now would give: Not connected." in page
    assert '<button type="submit">Retry now' in page  # the same verdict would follow: the preview comes first
    assert Delivery.objects.get().verdict == "no_email"


def test_an_update_of_the_page_asks_no_platform_again(organization_admin_client, delivery, monkeypatch):
    monkeypatch.setattr(queue_acts, "preview", None)
    header = {"X-Live-Part": "story"}
    assert organization_admin_client.get("/activity/o-1/", {"preview": 1}, headers=header).status_code == 200


def test_who_may_not_retry_gets_no_preview(team_member_client, delivery):
    assert "would give" not in text(team_member_client.get("/activity/o-1/", {"preview": 1}))


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
