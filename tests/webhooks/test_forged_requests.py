"""Thousands of forged signatures and replayed deliveries: none is accepted, and none is stored again."""

import json
import random
import time
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from integrations.health.models import WebhookRejection
from integrations.inbox.models.delivery import Delivery
from tests.support.factories import (
    SIGNATURE_TOKEN,
    LeverWebhookFactory,
)
from tests.support.payloads import load, sign

JSON = "application/json"
FORGED, REPLAYS = 300, 100
DAY_MS = 24 * 3_600_000


@pytest.fixture
def sender():
    """A client without a session, for which CSRF is enforced."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def lever_endpoint(organization):
    """The address of an organization that has stored a signature token."""
    LeverWebhookFactory(organization=organization)
    return reverse("lever-webhook", args=[organization.webhook_key])


def stage_change(**changes):
    """Return a stage change with a new id, unsigned."""
    return load("lever/candidate_stage_change", id=str(uuid.uuid4()), **changes)


def forged_stage_change(rng):
    """Return a stage change whose signature belongs to another body, or was altered."""
    good = sign(stage_change(), SIGNATURE_TOKEN)
    kind = rng.randrange(6)
    if kind == 0:
        return good | {"signature": f"{rng.getrandbits(256):064x}"}
    if kind == 1:
        return good | {"triggeredAt": good["triggeredAt"] + rng.choice([-1, 1, DAY_MS])}
    if kind == 2:
        return good | {"token": uuid.uuid4().hex + uuid.uuid4().hex[:16]}
    if kind == 3:
        return good | {"signature": sign(good, uuid.uuid4().hex)["signature"]}
    place, digit = rng.randrange(64), rng.choice("0123456789abcdef")
    altered = good["signature"][:place] + digit + good["signature"][place + 1 :]
    if kind == 4 and altered != good["signature"]:
        return good | {"signature": altered}
    return good | {"signature": good["signature"][: rng.randrange(64)]}


@pytest.mark.slow
def test_no_forged_signature_is_accepted(sender, lever_endpoint):
    rng = random.Random(1)
    statuses = set()
    for _ in range(FORGED):
        answer = sender.post(lever_endpoint, json.dumps(forged_stage_change(rng)), content_type=JSON)
        statuses.add(answer.status_code)
    assert statuses == {401}
    assert not Delivery.objects.exists()
    assert WebhookRejection.objects.count() < 50  # counted, not kept one by one


@pytest.mark.slow
def test_a_replayed_delivery_is_a_repeat_when_it_is_reformatted(sender, lever_endpoint):
    weeks_ago = int(time.time() * 1000) - 13 * DAY_MS
    old = [sign(stage_change(triggeredAt=weeks_ago + number), SIGNATURE_TOKEN) for number in range(5)]
    for payload in old:
        assert sender.post(lever_endpoint, json.dumps(payload), content_type=JSON).status_code == 202
    rng = random.Random(2)
    statuses = set()
    for _ in range(REPLAYS):
        payload = rng.choice(old)
        names = rng.sample(sorted(payload), len(payload))
        again = json.dumps({name: payload[name] for name in names}, indent=rng.choice([None, 2]))
        statuses.add(sender.post(lever_endpoint, again, content_type=JSON).status_code)
    assert statuses == {200}
    assert Delivery.objects.count() == len(old)
    assert sum(Delivery.objects.values_list("repeats", flat=True)) == REPLAYS
