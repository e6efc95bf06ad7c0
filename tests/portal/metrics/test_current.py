"""What is under way by the metrics of the database."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from integrations.clients.models import CircuitBreaker
from integrations.health.models import Incident
from integrations.lever.models.connection import LeverConnection
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.support import factories
from tests.support.metrics import TOKEN, scrape


@pytest.fixture(autouse=True)
def _allowed(settings, db):
    settings.METRICS_TOKEN = TOKEN


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
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP, failures=3)
    DutyRun.objects.update(created_at="2020-01-01T00:00:00Z")
    found = scrape(client)
    assert found['portal_duties_overdue{duty="sweep"}'] == found['portal_duties_failing{duty="sweep"}'] == 1
    assert found['portal_duties_failing{duty="purge"}'] == 0
    assert found['portal_incidents_open{code="platform_down"}'] == 1
    assert found['portal_incidents_open{code="failed_effects"}'] == 0
    assert found['portal_breakers_open{platform="codescreen"}'] == 1
    assert found['portal_breakers_open{platform="lever"}'] == 0


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
