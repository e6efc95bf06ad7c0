"""SQLite with many writers: webhooks and workers never fail because the database is locked."""

import threading
import time
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from integrations.inbox.models.delivery import Delivery
from integrations.queue import notify, worker
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory, OrganizationFactory
from tests.support.payloads import load, sign

THREADS, EACH, WORKERS = 8, 40, 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_concurrent_webhooks_and_workers_share_the_database(monkeypatch):
    monkeypatch.setattr(notify, "notify_workers", lambda: None)
    organization = OrganizationFactory()
    LeverWebhookFactory(organization=organization)
    endpoint = reverse("lever-webhook", args=[organization.webhook_key])
    statuses, failures, waits = [], [], []
    posted = threading.Event()

    def collecting_failures(work):
        def run():
            try:
                work()
            except Exception as error:  # noqa: BLE001 - shown below
                failures.append(error)
            finally:
                connection.close()

        return run

    @collecting_failures
    def post():
        client = Client()
        for _ in range(EACH):
            payload = load(
                "lever/candidate_stage_change",
                id=str(uuid.uuid4()),
                triggeredAt=int(time.time() * 1000),
                event="candidateHired",
            )
            started = time.monotonic()
            answer = client.post(endpoint, sign(payload, SIGNATURE_TOKEN), content_type="application/json")
            waits.append(time.monotonic() - started)
            statuses.append(answer.status_code)

    @collecting_failures
    def work():
        while not posted.is_set() or Delivery.objects.due().exists():
            worker.work()

    senders = [threading.Thread(target=post) for _ in range(THREADS)]
    workers = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in [*senders, *workers]:
        thread.start()
    for thread in senders:
        thread.join(120)
    posted.set()
    for thread in workers:
        thread.join(120)
    assert failures == []
    assert statuses == [202] * THREADS * EACH
    assert max(waits) < 20  # SQLite's writers wait for each other, but none gives up
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"disconnected"}
    assert Delivery.objects.count() == THREADS * EACH
