"""Somebody has recorded one webhook, and signs bodies of their own with its signature."""

import time
from functools import partial

import pytest

from integrations.accounts.models.attempts import AttemptLimit
from integrations.health.models import WebhookRejection
from integrations.inbox.models.delivery import Delivery
from integrations.webhooks import authentication
from integrations.webhooks.authentication import BODIES_PER_SIGNATURE, SIGNATURES_REMEMBERED, SignatureReuse
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory
from tests.support.payloads import load, sign

DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture
def post(client, organization):
    """Return what posts a body to the organization's address."""
    LeverWebhookFactory.create(organization=organization)
    return partial(client.post, organization.lever_webhook_url, content_type="application/json")


@pytest.fixture
def recorded():
    """A genuine webhook of ten days ago."""
    then = int(time.time() * 1000) - 10 * DAY_MS
    return sign(load("lever/candidate_stage_change", triggeredAt=then), SIGNATURE_TOKEN)


def test_one_signature_brings_in_a_bounded_number_of_bodies(post, recorded):
    statuses = [post(recorded | {"id": f"forged-{number}"}).status_code for number in range(40)]
    assert statuses == [202] * BODIES_PER_SIGNATURE + [401] * (40 - BODIES_PER_SIGNATURE)
    assert Delivery.objects.count() == BODIES_PER_SIGNATURE
    assert WebhookRejection.objects.get().code == "signature_reused"
    counted = AttemptLimit.objects.count()
    assert [post(recorded | {"id": "one more"}).status_code for _ in range(3)] == [401] * 3
    assert AttemptLimit.objects.count() == counted  # a body that was refused costs no row


def test_the_bodies_of_a_signature_are_counted_at_all_processes_together(post, recorded):
    for number in range(3 * BODIES_PER_SIGNATURE):
        post(recorded | {"id": f"forged-{number}"})
        authentication.seen.clear()  # as if each were sent to another process, or to one started anew
    assert Delivery.objects.count() == BODIES_PER_SIGNATURE


@pytest.mark.parametrize("is_another_process", [False, True])
def test_a_webhook_that_is_sent_again_counts_once(post, recorded, is_another_process):
    statuses = []
    for _ in range(2 * BODIES_PER_SIGNATURE):
        statuses.append(post(recorded).status_code)
        if is_another_process:
            authentication.seen.clear()
    assert statuses == [202] + [200] * (2 * BODIES_PER_SIGNATURE - 1)
    others = [post(recorded | {"id": f"forged-{number}"}).status_code for number in range(25)]
    assert others == [202] * (BODIES_PER_SIGNATURE - 1) + [401] * (26 - BODIES_PER_SIGNATURE)


def test_a_new_signature_costs_no_statement(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert not SignatureReuse().is_exhausted(1, "signature", "body", 1.0)


def test_two_organizations_signatures_are_counted_apart(db):
    seen = SignatureReuse()
    for number in range(1 + BODIES_PER_SIGNATURE):
        assert not seen.is_exhausted(1, "signature", f"body-{number}", 1.0)
    assert seen.is_exhausted(1, "signature", "one more", 1.0)
    assert not seen.is_exhausted(2, "signature", "one more", 1.0)


def test_the_signature_seen_longest_ago_is_forgotten():
    seen = SignatureReuse()
    for number in range(SIGNATURES_REMEMBERED + 10):
        seen.is_exhausted(1, f"signature-{number}", "body", 1.0)
    assert len(seen._bodies) == SIGNATURES_REMEMBERED
