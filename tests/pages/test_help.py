"""The help: every code, kind and role is in it, its links lead somewhere, and it tells nothing of others."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.core.invitation_status import InvitationStatus
from integrations.core.vocabulary import ProgressTag
from tests.support import factories


def text_of(client: Client, address: str) -> str:
    """Return a page's HTML, with spaces and entities made plain."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(unescape(answer.content.decode()).split())


def test_every_status_and_tag_is_explained(super_admin_client):
    page = text_of(super_admin_client, reverse("help"))
    for status in InvitationStatus:
        assert f'id="status-{status}"' in page
        assert status.record.meaning in page
    for tag in ProgressTag:
        assert f"“{tag}”" in page


@pytest.mark.slow
def test_every_link_into_the_help_from_another_page_leads_to_its_place(super_admin_client, organization):
    delivery = factories.DeliveryFactory.create(
        organization=organization,
        verdict="no_email",
        explanation="No address.",
        due_at=None,
        decided_at=timezone.now(),
    )
    links = set()
    for address in (
        reverse("settings"),
        reverse("rules"),
        reverse("team"),
        reverse("overview"),
        f"{reverse('account')}#e-mails",
        reverse("activity"),
        reverse("notification-settings"),
        reverse("candidate-data", args=[delivery.opportunity_id]),
    ):
        found = re.findall(r'href="(/help/[a-z-]*/?)#([a-z_-]+)"', text_of(super_admin_client, address))
        assert found, address
        links |= set(found)
    for page, anchor in links:
        assert f'id="{anchor}"' in text_of(super_admin_client, page), (page, anchor)


def test_the_page_about_data_shows_the_organizations_own_times(super_admin_client, organization):
    organization.retention_days = 123
    organization.save()
    page = text_of(super_admin_client, reverse("help-team"))
    assert "123 days" in page
    assert "90 days" in page
