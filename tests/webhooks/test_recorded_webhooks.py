"""Every public shape of a webhook of Lever's, documented or recorded, is stored and decided."""

import json
import time
from typing import Any

import pytest

from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.queue import worker
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory
from tests.support.payloads import load, sign
from tests.webhooks.contract import JSON

CASES = [pytest.param(case, id=case["name"]) for case in load("lever/recorded_webhooks")]


def gaps(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the body without each member of its data, and with each one null."""
    data = body["data"] or {}
    lacking = [{key: value for key, value in data.items() if key != name} for name in data]
    return [body | {"data": changed} for changed in [*lacking, *({**data, name: None} for name in data)]]


@pytest.fixture
def post(client, organization):
    """Post a body as Lever signs it; return the answer's status."""
    LeverWebhookFactory(organization=organization)

    def post(body: dict[str, Any]) -> int:
        signed = sign({**body, "triggeredAt": int(time.time() * 1000)}, SIGNATURE_TOKEN)
        return client.post(organization.lever_webhook_url, json.dumps(signed), content_type=JSON).status_code

    return post


@pytest.mark.parametrize("case", CASES)
def test_a_webhook_is_stored_and_decided(post, case):
    assert post(case["body"]) == case["status"]
    worker.work()
    delivery = Delivery.objects.get()
    assert {name: getattr(delivery, name) for name in case["stored"]} == case["stored"]
    assert delivery.verdict in set(VerdictCode)
    assert delivery.traceback == ""


@pytest.mark.parametrize("case", CASES)
def test_a_webhook_is_accepted_and_decided_when_a_member_of_its_data_is_null_or_absent(post, case):
    for body in gaps(case["body"]):
        assert post({**body, "id": None}) in {200, 202}
    worker.work()
    assert not Delivery.objects.exclude(traceback="").exists()
    assert not Delivery.objects.filter(verdict="").exists()
