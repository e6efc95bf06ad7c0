"""SQLite with many writers: webhooks and workers never fail because the database is locked."""

import time
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from integrations.inbox.models.delivery import Delivery
from integrations.queue import notify, worker
from tests.support.at_once import run_at_once
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory, OrganizationFactory
from tests.support.payloads import load, sign

THREADS, EACH, WORKERS = 8, 20, 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_concurrent_webhooks_and_workers_share_the_database(monkeypatch):
    monkeypatch.setattr(notify, "notify_workers", lambda: None)
    organization = OrganizationFactory()
    LeverWebhookFactory(organization=organization)
    endpoint = reverse("lever-webhook", args=[organization.webhook_key])
    statuses, waits = [], []

    def post():
        client = Client()
        for _ in range(EACH):
            payload = load("lever/candidate_stage_change", id=str(uuid.uuid4()), event="candidateHired")
            started = time.monotonic()
            answer = client.post(endpoint, sign(payload, SIGNATURE_TOKEN), content_type="application/json")
            waits.append(time.monotonic() - started)
            statuses.append(answer.status_code)

    def work():
        while len(statuses) < THREADS * EACH or Delivery.objects.due().exists():
            worker.work()

    assert run_at_once(*[post] * THREADS, *[work] * WORKERS, times=1) == []
    assert statuses == [202] * THREADS * EACH
    assert max(waits) < 20  # SQLite's writers wait for each other, but none gives up
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"disconnected"}
    assert Delivery.objects.count() == THREADS * EACH
