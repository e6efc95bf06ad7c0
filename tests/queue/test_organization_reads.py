"""Rows that were claimed together share one reading of their organization, for a second."""

from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import Organization
from integrations.queue import worker
from integrations.queue.organization_reads import OrganizationReads
from tests import factories


def test_an_organization_is_read_once_for_rows_that_were_claimed_together(connected_organization):
    organizations = OrganizationReads()
    with CaptureQueriesContext(connection) as queries:
        first, second = (organizations.get(connected_organization.pk) for _ in range(2))
        secrets = [
            (one.lever_connection.access_token, one.codescreen_connection.api_key) for one in (first, second)
        ]
    assert len(queries) == 1
    assert secrets[0] == secrets[1]
    assert secrets[0][0] == connected_organization.lever_connection.access_token


def test_what_one_step_changes_of_its_organization_another_does_not_see(connected_organization):
    organizations = OrganizationReads()
    first, second = (organizations.get(connected_organization.pk) for _ in range(2))
    first.paused = True
    first.lever_connection.access_token = "another"
    assert not second.paused
    assert second.lever_connection.access_token != "another"
    assert first.lever_connection.organization is first


def test_a_pause_is_seen_after_a_second_at_the_latest(organization, monkeypatch):
    seconds = [100.0]
    monkeypatch.setattr("integrations.queue.organization_reads.time.monotonic", lambda: seconds[0])
    organizations = OrganizationReads()
    assert not organizations.get(organization.pk).paused
    Organization.objects.update(paused=True)
    seconds[0] += 1.1
    assert organizations.get(organization.pk).paused


def test_an_organization_without_connections_is_read_as_such(organization):
    read = OrganizationReads().get(organization.pk)
    assert (read.lever, read.codescreen) == (None, None)


def test_a_connection_is_seen_at_once_when_there_was_none(organization):
    organizations = OrganizationReads()
    assert organizations.get(organization.pk).disconnected_reason
    factories.LeverConnectionFactory.create(organization=organization)
    factories.CodeScreenConnectionFactory.create(organization=organization)
    assert not organizations.get(organization.pk).disconnected_reason


def test_the_end_of_a_pause_is_seen_at_once(organization):
    Organization.objects.update(paused=True)
    organizations = OrganizationReads()
    assert organizations.get(organization.pk).paused
    Organization.objects.update(paused=False)
    assert not organizations.get(organization.pk).paused


def test_a_verdict_is_decided_by_the_organization_of_now(organization, monkeypatch):
    organizations = OrganizationReads()
    organizations.get(organization.pk)
    Organization.objects.update(default_assessment="Backend")
    seen = []
    monkeypatch.setattr(
        worker,
        "handle_delivery",
        lambda delivery, _clients: seen.append(delivery.organization.default_assessment),
    )
    worker.work_on(factories.DeliveryFactory.create(organization=organization), organizations, most=1)
    assert seen == ["Backend"]


def test_an_effect_goes_by_what_was_read_for_the_verdict_before_it(organization, monkeypatch):
    factories.LeverConnectionFactory.create(organization=organization)
    factories.CodeScreenConnectionFactory.create(organization=organization)
    monkeypatch.setattr(worker, "handle_delivery", lambda delivery, _: delivery.release(due_at=None))
    monkeypatch.setattr(worker, "perform", lambda effect, _: effect.finish())
    delivery = factories.DeliveryFactory.create(organization=organization, opportunity_id="o1")
    factories.EffectFactory.create(organization=organization, opportunity_id="o1")
    with mock.patch.object(type(Organization.objects.all()), "reread", autospec=True) as reread:
        reread.side_effect = lambda rows, pk: rows.with_connections().get(pk=pk)
        assert worker.work_on(delivery, OrganizationReads()) == 2
    assert reread.call_count == 1
