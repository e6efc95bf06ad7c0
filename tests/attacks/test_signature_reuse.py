"""Somebody has recorded one webhook, and signs bodies of their own with its signature."""

import json

import pytest

from integrations.models import Delivery, WebhookRejection
from integrations.webhooks.signature_reuse import (
    BODIES_PER_SIGNATURE,
    SIGNATURES_REMEMBERED,
    SignatureReuse,
)
from tests.factories import SIGNATURE_TOKEN, LeverWebhookFactory
from tests.payloads import load, sign


@pytest.fixture
def post(client, organization):
    """Return what posts a body to the organization's address."""
    LeverWebhookFactory.create(organization=organization)

    def post_body(payload):
        address = f"/webhooks/lever/{organization.webhook_key}/"
        return client.post(address, json.dumps(payload), content_type="application/json")

    return post_body


def recorded():
    """Return a genuine webhook of some years ago."""
    return sign(load("lever/candidate_stage_change", triggeredAt=1577836800000), SIGNATURE_TOKEN)


def test_one_signature_brings_in_a_bounded_number_of_bodies(post):
    statuses = [post(recorded() | {"id": f"forged-{number}"}).status_code for number in range(100)]
    assert statuses == [202] * BODIES_PER_SIGNATURE + [401] * (100 - BODIES_PER_SIGNATURE)
    assert Delivery.objects.count() == BODIES_PER_SIGNATURE
    assert WebhookRejection.objects.get().code == "signature_reused"


def test_a_webhook_that_is_sent_again_is_never_refused(post):
    statuses = [post(recorded()).status_code for _ in range(2 * BODIES_PER_SIGNATURE)]
    assert statuses == [202] + [200] * (2 * BODIES_PER_SIGNATURE - 1)


def test_a_genuine_webhook_is_accepted_after_a_flood(post):
    for number in range(BODIES_PER_SIGNATURE + 1):
        post(recorded() | {"id": f"forged-{number}"})
    genuine = sign(load("lever/candidate_stage_change", token="another-nonce", id="genuine"), SIGNATURE_TOKEN)
    assert post(genuine).status_code == 202


def test_two_organizations_signatures_are_counted_apart():
    seen = SignatureReuse()
    for number in range(BODIES_PER_SIGNATURE):
        assert not seen.is_exhausted(1, "signature", f"body-{number}")
    assert seen.is_exhausted(1, "signature", "one more")
    assert not seen.is_exhausted(2, "signature", "one more")


def test_the_signature_seen_longest_ago_is_forgotten():
    seen = SignatureReuse()
    for number in range(SIGNATURES_REMEMBERED + 10):
        seen.is_exhausted(1, f"signature-{number}", "body")
    assert len(seen._bodies) == SIGNATURES_REMEMBERED
