"""The metrics, where they are allowed."""

import pytest

from integrations.models import Duty, DutyRun, Heartbeat


def test_metrics_are_off_unless_they_are_allowed(client, db):
    assert client.get("/metrics").status_code == 404


def test_the_age_of_each_nodes_heartbeat_is_a_metric(client, db, settings):
    settings.METRICS_ENABLED = True
    settings.NODE = "node-a"
    Heartbeat.beat()
    assert 'portal_heartbeat_age_seconds{node="node-a"}' in client.get("/metrics").content.decode()


@pytest.mark.parametrize(
    ("given", "status"), [("", 401), ("Bearer wrong", 401), ("Bearer tökén", 401), ("Bearer secret", 200)]
)
def test_metrics_want_the_token_when_there_is_one(client, db, settings, given, status):
    settings.METRICS_TOKEN = "secret"
    headers = {"authorization": given} if given else {}
    assert client.get("/metrics", headers=headers).status_code == status


def test_overdue_and_failing_duties_are_metrics(client, organization, settings):
    settings.METRICS_ENABLED = True
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP, failures=3, duration_ms=1500)
    DutyRun.objects.update(created_at="2020-01-01T00:00:00Z")
    text = client.get("/metrics").content.decode()
    assert 'portal_duties_overdue{duty="sweep"} 1.0' in text
    assert 'portal_duties_failing{duty="sweep"} 1.0' in text
    assert 'portal_duty_seconds{duty="sweep"} 1.5' in text
