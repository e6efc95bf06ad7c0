"""Webhooks to a former address: taken while it is honoured, and never without a signature."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.organizations.acts import replace_webhook_key
from integrations.organizations.models.organization import Organization
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory
from tests.support.payloads import post_stage_change


@pytest.fixture
def former(organization, super_admin):
    """The former address; the organization has a new one."""
    LeverWebhookFactory(organization=organization)
    address = organization.lever_webhook_url
    replace_webhook_key(organization, super_admin)
    return address


def test_a_webhook_to_the_former_address_is_stored_once_with_its_repeat_at_the_new_one(
    client, organization, former
):
    statuses = [
        post_stage_change(client, address, SIGNATURE_TOKEN, id="event-1").status_code
        for address in (former, organization.lever_webhook_url)
    ]
    assert statuses == [202, 200]
    assert Delivery.objects.get().organization == organization


def test_an_ended_address_is_not_found(client, organization, former):
    Organization.objects.update(previous_webhook_key_until=timezone.now() - timedelta(seconds=1))
    for address, status in ((former, 404), (organization.lever_webhook_url, 202)):
        assert post_stage_change(client, address, SIGNATURE_TOKEN).status_code == status


@pytest.mark.parametrize("key", ["%00", "a" * 3000, "é", "former-webhook-key-x"])
def test_an_unknown_key_is_not_found(client, db, key):
    assert client.post(f"/webhooks/lever/{key}/").status_code == 404
