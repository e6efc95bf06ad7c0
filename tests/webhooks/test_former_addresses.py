"""Webhooks to a former address: taken while it is honoured, and never without a signature."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.organizations.acts import replace_webhook_key
from integrations.organizations.models.organization import Organization
from tests.support.factories import (
    SIGNATURE_TOKEN,
    LeverWebhookFactory,
)
from tests.support.payloads import load, sign


@pytest.fixture
def former(organization, super_admin):
    """The former address; the organization has a new one."""
    LeverWebhookFactory(organization=organization)
    address = organization.lever_webhook_url
    replace_webhook_key(organization, super_admin)
    return address


def post(client, address, token=SIGNATURE_TOKEN):
    """Post a new stage change signed with this token."""
    payload = load("lever/candidate_stage_change", id=str(uuid.uuid4()))
    return client.post(address, json.dumps(sign(payload, token)), content_type="application/json")


def test_a_webhook_to_the_former_address_is_stored_once_with_its_repeat_at_the_new_one(
    client, organization, former
):
    payload = load("lever/candidate_stage_change", id=str(uuid.uuid4()))
    body = json.dumps(sign(payload, SIGNATURE_TOKEN))
    statuses = [
        client.post(address, body, content_type="application/json").status_code
        for address in (former, organization.lever_webhook_url)
    ]
    assert statuses == [202, 200]
    assert Delivery.objects.get().organization == organization


def test_an_ended_address_is_not_found(client, organization, former):
    Organization.objects.update(previous_webhook_key_until=timezone.now() - timedelta(seconds=1))
    assert post(client, former).status_code == 404
    assert post(client, organization.lever_webhook_url).status_code == 202


@pytest.mark.parametrize("key", ["%00", "a" * 3000, "é", "former-webhook-key-x"])
def test_an_unknown_key_is_not_found(client, db, key):
    assert client.post(f"/webhooks/lever/{key}/").status_code == 404
