"""Who may read the metrics, and what each says of itself."""

from unittest.mock import Mock

import pytest
from django.db import OperationalError

from tests.support.metrics import TOKEN, scrape


def test_metrics_are_off_without_a_token(client, db):
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize(
    ("given", "status"), [("", 401), ("Bearer wrong", 401), ("Bearer tökén", 401), ("Bearer secret", 200)]
)
def test_metrics_want_the_token(client, db, settings, given, status):
    settings.METRICS_TOKEN = "secret"
    headers = {"authorization": given} if given else {}
    assert client.get("/metrics", headers=headers).status_code == status


def test_without_the_database_a_node_still_tells_of_itself(client, db, settings, monkeypatch):
    settings.METRICS_TOKEN = TOKEN
    found = scrape(client)
    assert found["portal_database_answers"] == 1
    assert "portal_oldest_due_seconds" in found
    # in the midst of the scrape
    monkeypatch.setattr("portal.metrics._grant", Mock(side_effect=OperationalError))
    found = scrape(client)
    assert found["portal_database_answers"] == 0
    assert any(name.startswith("portal_info") for name in found)
    assert "portal_due_rows" not in str(found)
