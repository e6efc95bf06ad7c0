"""Forged signatures and replays of old deliveries, by the thousand: none is accepted, none leaves a row."""

import json
import random
import time
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Delivery, WebhookRejection
from tests.factories import SIGNATURE_TOKEN, WEBHOOK_SECRET, CodeScreenConnectionFactory, LeverWebhookFactory
from tests.payloads import codescreen_headers, load, sign

JSON = "application/json"
FORGED = 2_000
REPLAYS = 500
DAY_MS = 24 * 3_600_000


@pytest.fixture
def sender():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def lever_door(organization):
    LeverWebhookFactory(organization=organization)
    return reverse("lever-webhook", args=[organization.webhook_key])


@pytest.fixture
def codescreen_door(organization):
    CodeScreenConnectionFactory(organization=organization, webhook_secret=WEBHOOK_SECRET)
    return reverse("codescreen-webhook", args=[organization.webhook_key])


def stage_change(**changes):
    fresh = {"id": str(uuid.uuid4()), "triggeredAt": int(time.time() * 1000)}
    return load("lever/candidate_stage_change", **fresh | changes)


def forgery(chance):
    """Return a stage change whose signature is a good one of something else, or a good one spoilt."""
    good = sign(stage_change(), SIGNATURE_TOKEN)
    kind = chance.randrange(6)
    if kind == 0:
        return good | {"signature": f"{chance.getrandbits(256):064x}"}
    if kind == 1:
        return good | {"triggeredAt": good["triggeredAt"] + chance.choice([-1, 1, DAY_MS])}
    if kind == 2:
        return good | {"token": uuid.uuid4().hex + uuid.uuid4().hex[:16]}
    if kind == 3:
        return good | {"signature": sign(good, uuid.uuid4().hex)["signature"]}
    place, digit = chance.randrange(64), chance.choice("0123456789abcdef")
    spoilt = good["signature"][:place] + digit + good["signature"][place + 1 :]
    if kind == 4 and spoilt != good["signature"]:
        return good | {"signature": spoilt}
    return good | {"signature": good["signature"][: chance.randrange(64)]}


@pytest.mark.slow
def test_no_forged_signature_is_accepted(sender, lever_door):
    chance = random.Random(1)
    statuses = set()
    for _ in range(FORGED):
        answer = sender.post(lever_door, json.dumps(forgery(chance)), content_type=JSON)
        statuses.add(answer.status_code)
    assert statuses == {401}
    assert not Delivery.objects.exists()
    assert WebhookRejection.objects.count() < 50  # counted, not kept one by one


@pytest.mark.slow
def test_a_replay_of_an_old_delivery_is_no_new_one_however_it_is_dressed_up(sender, lever_door):
    weeks_ago = int(time.time() * 1000) - 13 * DAY_MS
    old = [sign(stage_change(triggeredAt=weeks_ago + number), SIGNATURE_TOKEN) for number in range(5)]
    for payload in old:
        assert sender.post(lever_door, json.dumps(payload), content_type=JSON).status_code == 202
    chance = random.Random(2)
    statuses = set()
    for _ in range(REPLAYS):
        payload = chance.choice(old)
        names = chance.sample(sorted(payload), len(payload))
        again = json.dumps({name: payload[name] for name in names}, indent=chance.choice([None, 2]))
        statuses.add(sender.post(lever_door, again, content_type=JSON).status_code)
    assert statuses == {200}
    assert Delivery.objects.count() == len(old)
    assert sum(Delivery.objects.values_list("repeats", flat=True)) == REPLAYS


@pytest.mark.slow
def test_no_forged_message_of_codescreen_is_accepted_and_no_good_one_twice(sender, codescreen_door):
    body = json.dumps(load("codescreen/candidate_evaluated")).encode()
    good = codescreen_headers(body, WEBHOOK_SECRET, "msg_good")
    chance = random.Random(3)
    statuses = set()
    for _ in range(FORGED // 2):
        headers = dict(good)
        kind = chance.randrange(4)
        if kind == 0:
            headers["webhook-id"] = f"msg_{chance.random()}"
        elif kind == 1:
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + chance.randint(1, 250))
        elif kind == 2:
            headers["webhook-signature"] = f"v1,{chance.getrandbits(256):064x}"
        sent = body + b" " if kind == 3 else body
        statuses.add(sender.generic("POST", codescreen_door, sent, JSON, headers=headers).status_code)
    assert statuses == {401}
    assert not Delivery.objects.exists()
    answers = [
        sender.generic("POST", codescreen_door, body, JSON, headers=good).status_code for _ in range(50)
    ]
    assert answers == [202] + [200] * 49
    assert Delivery.objects.count() == 1
