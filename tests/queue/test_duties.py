"""Perform the duties of the schedules, one organization after another."""

import logging
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import (
    Assessment,
    CodeScreenConnection,
    Delivery,
    Effect,
    LeverConnection,
    Role,
    Stage,
)
from integrations.queue import duties
from tests import factories


def test_due_rows_are_worked_while_a_catalog_is_refreshed(connected_organization, monkeypatch) -> None:
    draining = []

    @contextmanager
    def note_draining():
        draining.append(True)
        yield
        draining.pop()

    monkeypatch.setattr(duties, "keep_draining", note_draining)
    was_draining = []
    monkeypatch.setattr(duties, "refresh_stages", lambda *_: was_draining.append(bool(draining)))
    duties.refresh_catalog(connected_organization.pk)
    assert was_draining == [True]


def test_other_organizations_are_probed_when_one_probe_crashes(
    connected_organization, monkeypatch, caplog
) -> None:
    other = factories.LeverConnectionFactory.create().organization
    probed, personal = [], "ada" + "@example.com"

    def probe_and_crash(organization, _) -> None:
        probed.append(organization.pk)
        raise KeyError(personal)

    monkeypatch.setattr("integrations.workflow.health.lever_probe.probe", probe_and_crash)
    duties.probe_lever()
    assert set(probed) == {connected_organization.pk, other.pk}
    assert caplog.text.count("probe of") == 2
    assert personal not in caplog.text


def test_a_grant_is_refreshed_daily(connected_organization) -> None:
    connection = LeverConnection.objects.get(organization=connected_organization)
    before = connection.access_token
    duties.refresh_grants()
    connection.refresh_from_db()
    assert connection.access_token == before

    LeverConnection.objects.update(
        refreshed_at=timezone.now() - duties.REFRESH_GRANT_AFTER - timedelta(minutes=1)
    )
    duties.refresh_grants()
    connection.refresh_from_db()
    assert connection.access_token != before
    assert connection.refreshed_at is not None
    assert connection.refreshed_at > timezone.now() - timedelta(minutes=1)


def test_a_grant_without_a_refresh_token_is_not_refreshed(connected_organization) -> None:
    connection = LeverConnection.objects.get(organization=connected_organization)
    connection.refresh_token = ""
    connection.save()
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(days=2))
    duties.refresh_grants()
    connection.refresh_from_db()
    assert connection.state == LeverConnection.State.CONNECTED


@pytest.mark.usefixtures("without_background_draining")
def test_a_catalog_refresh_reads_all_lists_and_verifies_an_untried_key(connected_organization) -> None:
    duties.refresh_catalog(connected_organization.pk)
    for model in (Stage, Role, Assessment):
        assert model.objects.live().filter(organization=connected_organization).exists(), model
    assert CodeScreenConnection.objects.get(organization=connected_organization).verified_at


@pytest.mark.usefixtures("without_background_draining")
def test_a_catalog_refresh_marks_a_refused_key(connected_organization) -> None:
    CodeScreenConnection.objects.get(organization=connected_organization).delete()
    CodeScreenConnection.objects.create(organization=connected_organization, api_key="not-the-key")
    duties.refresh_catalog(connected_organization.pk)
    assert (
        CodeScreenConnection.objects.get(organization=connected_organization).state
        == CodeScreenConnection.State.REFUSED
    )
    assert Stage.objects.live().filter(organization=connected_organization).exists()


def test_a_key_that_stays_refused_is_no_warning_in_the_log(connected_organization, caplog) -> None:
    CodeScreenConnection.objects.update(api_key="not-the-key", state="refused")
    duties.retry_refused_keys()
    assert CodeScreenConnection.objects.get().state == CodeScreenConnection.State.REFUSED
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.usefixtures("without_background_draining")
def test_a_catalog_refresh_of_an_unconnected_organization_changes_nothing(organization) -> None:
    duties.refresh_catalog(organization.pk)
    assert not Stage.objects.exists()


def test_the_daily_refresh_replaces_the_refresh_token(connected_organization, sandbox):
    before = LeverConnection.objects.get()
    duties.refresh_grants()
    assert LeverConnection.objects.get().generation == before.generation
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(hours=21))
    duties.refresh_grants()
    after = LeverConnection.objects.get()
    assert after.generation == before.generation + 1
    assert after.refresh_token != before.refresh_token
    assert after.refreshed_at is not None
    assert after.refreshed_at > timezone.now() - timedelta(minutes=1)


def test_the_daily_refresh_finds_a_revoked_grant(connected_organization, sandbox):
    sandbox.lever_does("revoke")
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(hours=21))
    duties.refresh_grants()
    assert LeverConnection.objects.get().state == "needs_reconnect"
    assert Effect.objects.filter(kind="send_email").count() == 1


def test_other_organizations_are_swept_when_one_sweep_crashes(db, monkeypatch):
    first, second = factories.OrganizationFactory(name="A"), factories.OrganizationFactory(name="B")
    swept = []

    def sweep_and_crash(organization, **_):
        swept.append(organization)
        if organization == first:
            raise KeyError

    monkeypatch.setattr(duties, "sweep_organization", sweep_and_crash)
    duties.sweep_all()
    assert swept == [first, second]


def test_waiting_deliveries_are_requeued_when_the_reconnection_was_missed(
    connected_organization, queued_tasks
):
    row = factories.DeliveryFactory(
        organization=connected_organization, verdict="disconnected", decided_at=timezone.now(), due_at=None
    )
    duties.requeue_waiting()
    assert Delivery.objects.due().get() == row


def test_requeueing_does_not_shorten_the_wait_of_effects(connected_organization, queued_tasks):
    in_an_hour = timezone.now() + timedelta(hours=1)
    factories.DeliveryFactory(
        organization=connected_organization,
        verdict="disconnected",
        decided_at=timezone.now(),
        due_at=in_an_hour,
    )
    effect = factories.EffectFactory(organization=connected_organization, due_at=in_an_hour)
    duties.requeue_waiting()
    effect.refresh_from_db()
    assert effect.due_at == in_an_hour


def test_a_key_that_codescreen_refuses_at_the_hourly_refresh_is_noted(connected_organization, sandbox):
    CodeScreenConnection.objects.update(api_key="wrong")
    duties.refresh_catalogs()
    assert CodeScreenConnection.objects.get().state == "refused"


def test_a_refused_key_is_retried_and_works_again(connected_organization, sandbox, queued_tasks):
    connected_organization.codescreen_connection.mark_refused("CodeScreen answered 401")
    duties.retry_refused_keys()
    connected_organization.codescreen_connection.refresh_from_db()
    assert connected_organization.codescreen_connection.is_working
