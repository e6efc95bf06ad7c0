"""What a node's web server tells of itself, in one process and in several."""

import json
import time
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from prometheus_client import CollectorRegistry, generate_latest

from portal.metrics import node
from portal.process.whole_requests import ARRIVED_AT, PROBES, THREADS
from tests.support import factories
from tests.support.metrics import forget_requests, read, scrape
from tests.support.payloads import load, sign

ANSWERS = 'portal_webhook_answer_seconds_count{{platform="lever",status="{}"}}'


@pytest.fixture(autouse=True)
def _allowed(settings, monkeypatch, db):
    settings.METRICS_ENABLED = True
    forget_requests()


@pytest.fixture
def webhook():
    return factories.LeverWebhookFactory.create(signature_token="token-1")


def post(client, webhook, token):
    body = json.dumps(sign(load("lever/candidate_stage_change"), token))
    address = f"/webhooks/lever/{webhook.organization.webhook_key}"
    return client.post(address, body, content_type="application/json")


def test_answers_to_webhooks_are_counted_and_timed_by_status(client, webhook):
    assert post(client, webhook, "token-1").status_code == 202
    assert post(client, webhook, "token-1").status_code == 200
    assert post(client, webhook, "wrong").status_code == 401
    found = scrape(client)
    assert [found[ANSWERS.format(status)] for status in (202, 200, 401, 500, 503)] == [1, 1, 1, 0, 0]
    assert found['portal_webhook_answer_seconds_bucket{le="10.0",platform="lever",status="202"}'] == 1
    assert found['portal_webhook_answer_seconds_sum{platform="lever",status="202"}'] > 0


@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (KeyError, 500)])
def test_answers_to_errors_are_counted(client, webhook, monkeypatch, error, status):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("integrations.webhooks.views.insert_once", fail)
    client.raise_request_exception = False
    assert post(client, webhook, "token-1").status_code == status
    registry = CollectorRegistry()
    node.register_node(registry, is_database_there=False)
    assert read(generate_latest(registry).decode())[ANSWERS.format(status)] == 1


def test_only_webhooks_of_a_platform_are_counted(client):
    for path in ("/webhooks/", "/webhooks/other/key", "/login/", "/metrics"):
        client.get(path)
    counts = [value for name, value in scrape(client).items() if "answer_seconds_count" in name]
    assert counts
    assert set(counts) == {0.0}


def test_nothing_is_counted_where_metrics_are_off(client, webhook, settings):
    settings.METRICS_ENABLED = False
    post(client, webhook, "token-1")
    assert not next(iter(node._answers.collect())).samples


def test_webhooks_are_answered_where_they_cannot_be_counted(client, webhook, settings, monkeypatch, tmp_path):
    """As where the system has cleaned its folder of temporary files, or has no room there."""
    monkeypatch.setattr(node._answers, "labels", Mock(side_effect=FileNotFoundError))
    monkeypatch.setenv(node.FOLDER, str(tmp_path / "cleaned"))
    assert post(client, webhook, "token-1").status_code == 202
    assert scrape(client)["portal_database_answers"] == 1


def test_the_process_tells_its_version_and_what_it_takes(client, settings):
    settings.VERSION = "1.2.3"
    found = scrape(client)
    assert found['portal_web_info{version="1.2.3"}'] == 1
    assert found["portal_web_memory_bytes"] > 20 * 2**20
    assert found["portal_web_cpu_seconds_total"] > 0.1
    assert found["portal_web_open_files"] >= 3


def test_a_request_tells_how_long_it_waited_for_a_thread_and_kept_it_busy(client, settings, monkeypatch):
    settings.WEB_WORKERS = 3
    client.get("/login/", **{ARRIVED_AT: time.monotonic() - 2})
    found = scrape(client)
    assert found["portal_web_threads"] == 3 * THREADS
    assert found["portal_web_wait_seconds_count"] == 1
    assert 2 <= found["portal_web_wait_seconds_sum"] < 60
    assert found["portal_web_busy_seconds_total"] > 0


def test_probes_keep_no_thread_of_the_requests_busy(client):
    for path in PROBES:
        client.get(path, **{ARRIVED_AT: time.monotonic() - 2})
    found = scrape(client)
    assert (found["portal_web_wait_seconds_count"], found["portal_web_busy_seconds_total"]) == (0, 0)
