"""What a node's web server tells of itself, in one process and in several."""

from unittest.mock import Mock

import pytest
from django.db import OperationalError
from prometheus_client import CollectorRegistry, generate_latest

from portal import metrics
from tests.support import factories
from tests.support.metrics import TOKEN, forget_requests, read, scrape
from tests.support.payloads import post_stage_change

ANSWERS = 'portal_request_seconds_count{{status="{}",view="lever-webhook"}}'


@pytest.fixture(autouse=True)
def _allowed(settings, monkeypatch, db):
    settings.METRICS_TOKEN = TOKEN
    forget_requests()


@pytest.fixture
def webhook():
    return factories.LeverWebhookFactory.create(signature_token="token-1")


def post(client, webhook, token):
    return post_stage_change(client, webhook.organization.lever_webhook_url, token, id="event-1")


def test_answers_are_counted_and_timed_by_status(client, webhook):
    assert post(client, webhook, "token-1").status_code == 202
    assert post(client, webhook, "token-1").status_code == 200
    assert post(client, webhook, "wrong").status_code == 401
    found = scrape(client)
    assert [found[ANSWERS.format(status)] for status in (202, 200, 401, 500, 503)] == [1, 1, 1, 0, 0]
    assert found['portal_request_seconds_bucket{le="10.0",status="202",view="lever-webhook"}'] == 1
    assert found['portal_request_seconds_sum{status="202",view="lever-webhook"}'] > 0


@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (KeyError, 500)])
def test_answers_to_errors_are_counted(client, webhook, monkeypatch, error, status):
    monkeypatch.setattr("integrations.webhooks.views.insert_once", Mock(side_effect=error))
    client.raise_request_exception = False
    assert post(client, webhook, "token-1").status_code == status
    registry = CollectorRegistry()
    metrics.register_node(registry, is_database_well=False)
    assert read(generate_latest(registry).decode())[ANSWERS.format(status)] == 1


def test_a_page_is_counted_by_its_name_and_what_reaches_none_is_not(client):
    client.get("/accounts/login/")
    for path in ("/nothing/", "/healthz/live", "/metrics"):
        client.get(path)
    counts = {name: value for name, value in scrape(client).items() if "_count" in name and value}
    assert counts == {'portal_request_seconds_count{status="200",view="account_login"}': 1}


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [
        ("", "", 404),
        ("", "Bearer ", 404),
        ("secret", "", 401),
        ("secret", "Bearer wrong", 401),
        ("secret", "Bearer tökén", 401),
        ("secret", "Bearer secret", 200),
    ],
)
def test_metrics_want_the_token_and_are_off_without_one(client, settings, token, given, status):
    settings.METRICS_TOKEN = token
    headers = {"authorization": given} if given else {}
    assert client.get("/metrics", headers=headers).status_code == status


def test_without_the_database_a_node_still_tells_of_itself(client, monkeypatch):
    found = scrape(client)
    assert found["portal_database_answers"] == 1
    assert "portal_oldest_due_seconds" in found
    # in the midst of the scrape
    monkeypatch.setattr("portal.metrics._grant", Mock(side_effect=OperationalError))
    found = scrape(client)
    assert found["portal_database_answers"] == 0
    assert any(name.startswith("portal_info") for name in found)
    assert "portal_due_rows" not in str(found)


def test_nothing_is_counted_where_metrics_are_off(client, webhook, settings):
    settings.METRICS_TOKEN = ""
    post(client, webhook, "token-1")
    assert not next(iter(metrics._requests.collect())).samples


def test_webhooks_are_answered_where_they_cannot_be_counted(client, webhook, settings, monkeypatch, tmp_path):
    """As where the system has cleaned its folder of temporary files, or has no room there."""
    monkeypatch.setattr(metrics._requests, "labels", Mock(side_effect=FileNotFoundError))
    monkeypatch.setenv(metrics.FOLDER, str(tmp_path / "cleaned"))
    assert post(client, webhook, "token-1").status_code == 202
    assert scrape(client)["portal_database_answers"] == 1
