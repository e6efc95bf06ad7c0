"""Who may read the metrics, and what each says of itself."""

from unittest.mock import Mock

import pytest
from django.db import OperationalError

from tests.support.metrics import scrape


def test_metrics_are_off_unless_they_are_allowed(client, db):
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize(
    ("given", "status"), [("", 401), ("Bearer wrong", 401), ("Bearer tökén", 401), ("Bearer secret", 200)]
)
def test_metrics_want_the_token_when_there_is_one(client, db, settings, given, status):
    settings.METRICS_TOKEN = "secret"
    headers = {"authorization": given} if given else {}
    assert client.get("/metrics", headers=headers).status_code == status


def test_each_metric_says_whether_it_is_of_the_database_or_of_the_node(client, db, settings):
    settings.METRICS_ENABLED = True
    helps = [line for line in client.get("/metrics").content.decode().splitlines() if "# HELP" in line]
    assert len(helps) > 25
    for line in helps:
        assert line.split(" ", 3)[3].startswith(("Of the database: ", "Of the node: ")), line


def test_without_the_database_a_node_still_tells_of_itself(client, db, settings, monkeypatch):
    settings.METRICS_ENABLED = True
    found = scrape(client)
    assert found["portal_database_answers"] == 1
    assert "portal_invitations_sent" in found
    # in the midst of the scrape
    monkeypatch.setattr("portal.metrics.current.longest_wait", Mock(side_effect=OperationalError))
    found = scrape(client)
    assert found["portal_database_answers"] == 0
    assert found["portal_web_memory_bytes"] > 0
    assert "portal_due_rows" not in str(found)
