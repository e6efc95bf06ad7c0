"""The metrics, where they are allowed."""

import pytest

from integrations.clients.models import ApiCall
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import Heartbeat
from tests.support import factories


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


def test_what_is_under_way_is_counted_by_status_and_what_ended_is_not(client, organization, settings):
    settings.METRICS_ENABLED = True
    for number, status in enumerate(("invited", "invited", "held", "completed")):
        factories.InvitationFactory.create(
            organization=organization, status=status, instance_id="" if status == "held" else str(number)
        )
    text = client.get("/metrics").content.decode()
    assert 'portal_invitations{status="invited"} 2.0' in text
    assert 'portal_invitations{status="held"} 1.0' in text
    assert 'portal_invitations{status="pending"} 0.0' in text
    assert "completed" not in text


def test_calls_that_a_rate_limit_refused_are_counted_by_platform(client, organization, settings):
    settings.METRICS_ENABLED = True
    for status in (429, 200):
        ApiCall.objects.create(organization=organization, platform="lever", status=status, duration_ms=1)
    text = client.get("/metrics").content.decode()
    assert 'portal_api_calls_refused{platform="lever"} 1.0' in text
    assert 'portal_api_calls_refused{platform="codescreen"} 0.0' in text


def test_a_scrape_asks_no_more_when_there_is_more(
    client, organization, settings, django_assert_max_num_queries
):
    settings.METRICS_ENABLED = True
    factories.InvitationFactory.create_batch(3, organization=organization)
    with django_assert_max_num_queries(11):
        client.get("/metrics")
