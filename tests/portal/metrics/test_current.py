"""What is under way by the metrics of the database."""

from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.db.models.functions import Now

from integrations.clients import limits
from integrations.clients.models import CircuitBreaker
from integrations.health.models import Incident
from integrations.lever.models.connection import LeverConnection
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import Heartbeat
from tests.support import factories
from tests.support.metrics import scrape


@pytest.fixture(autouse=True)
def _allowed(settings, db):
    settings.METRICS_ENABLED = True


def test_each_worker_process_tells_its_age_version_memory_and_files(client, settings, monkeypatch):
    settings.NODE, settings.VERSION = "node-a", "1.2.3"
    monkeypatch.setattr("integrations.queue.models.nodes.os.getpid", lambda: 7)
    for _ in range(2):
        Heartbeat.beat()
    Heartbeat.objects.update(at=Now() - timedelta(seconds=60))
    found = scrape(client)
    assert found['portal_heartbeat_age_seconds{node="node-a"}'] == pytest.approx(60, abs=5)
    assert found['portal_worker_info{node="node-a",process="7",version="1.2.3"}'] == 1
    assert found['portal_worker_memory_bytes{node="node-a",process="7"}'] > 20 * 2**20
    assert found['portal_worker_cpu_seconds_total{node="node-a",process="7"}'] > 0.1
    assert found['portal_worker_open_files{node="node-a",process="7"}'] >= 3


def test_overdue_and_failing_duties_are_counted(client, organization):
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP, failures=3, duration_ms=1500)
    DutyRun.objects.update(created_at="2020-01-01T00:00:00Z")
    found = scrape(client)
    assert found['portal_duties_overdue{duty="sweep"}'] == 1
    assert found['portal_duties_failing{duty="sweep"}'] == 1
    assert found['portal_duty_seconds{duty="sweep"}'] == 1.5


def test_what_is_under_way_is_counted_by_status_and_what_ended_is_not(client, organization):
    for number, status in enumerate(("invited", "invited", "held", "completed")):
        factories.InvitationFactory.create(
            organization=organization, status=status, instance_id="" if status == "held" else str(number)
        )
    found = scrape(client)
    statuses = {name: value for name, value in found.items() if name.startswith("portal_invitations{")}
    assert {name for name, value in statuses.items() if value} == {
        'portal_invitations{status="invited"}',
        'portal_invitations{status="held"}',
    }
    assert statuses['portal_invitations{status="invited"}'] == 2
    assert 'portal_invitations{status="completed"}' not in statuses


def test_what_a_person_should_look_at_is_counted(client, organization):
    Incident.objects.create(organization=organization, code="platform_down")
    Incident.objects.create(organization=organization, code="failed_effects", ended_at=Now())
    CircuitBreaker.objects.create(organization=organization, platform="codescreen", failures=5)
    CircuitBreaker.objects.create(organization=organization, platform="lever", failures=4)
    factories.alert_address(organization, stopped_at=Now())
    factories.alert_address(organization, name="#off", is_on=False, stopped_at=Now())
    found = scrape(client)
    assert found['portal_incidents_open{code="platform_down"}'] == 1
    assert found['portal_incidents_open{code="failed_effects"}'] == 0
    assert found['portal_breakers_open{platform="codescreen"}'] == 1
    assert found['portal_breakers_open{platform="lever"}'] == 0
    assert found["portal_alert_addresses_stopped"] == 1


def test_the_grant_that_ends_first_is_told_in_days(client):
    assert "portal_grant_days_left" not in scrape(client)
    for days in (300, 10):
        connection_ = factories.LeverConnectionFactory.create()
        LeverConnection.objects.filter(pk=connection_.pk).update(connected_at=Now() - timedelta(days=days))
    assert scrape(client)["portal_grant_days_left"] == pytest.approx(65, abs=0.01)
    LeverConnection.objects.filter(connected_at__lt=Now() - timedelta(days=11)).update(
        state=LeverConnection.State.REVOKED
    )
    assert scrape(client)["portal_grant_days_left"] == pytest.approx(355, abs=0.01)


@pytest.fixture(params=["database", "redis"])
def _limit_in(request, settings):
    """Where the rate limit is kept: in the database, or in Redis where the tests have one."""
    settings.LEVER_RATE, settings.LEVER_BURST = 10.0, 20
    settings.REDIS_URL = "" if request.param == "database" else django_settings.REDIS_URL
    if request.param == "redis" and not settings.REDIS_URL:
        pytest.skip("needs REDIS_URL")
    yield
    if settings.REDIS_URL:
        redis.Redis.from_url(settings.REDIS_URL).delete("pace:busy", "pace:idle")


@pytest.mark.usefixtures("_limit_in")
def test_the_wait_for_the_rate_limit_is_that_of_the_busiest_account(client):
    assert scrape(client)["portal_rate_limit_wait_seconds"] == 0
    for bucket, calls in (("idle", 1), ("busy", 50)):
        for _ in range(calls):
            limits.reserve_slot(bucket)
    assert scrape(client)["portal_rate_limit_wait_seconds"] == pytest.approx(3, abs=0.5)


def test_a_redis_that_is_away_leaves_the_other_metrics(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert scrape(client)["portal_rate_limit_wait_seconds"] == 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's connections")
def test_connections_are_told_with_how_many_there_may_be(client):
    found = scrape(client)
    assert 1 <= found["portal_database_connections"] < found["portal_database_connections_limit"]


def test_a_scrape_asks_no_more_when_there_is_more(client, organization, django_assert_max_num_queries):
    factories.InvitationFactory.create_batch(3, organization=organization)
    with django_assert_max_num_queries(22):
        scrape(client)
