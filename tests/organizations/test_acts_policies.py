"""Changing policies: what is refused, what is audited, what waited for a pause to end or a connection."""

import pytest
from django.core.exceptions import ValidationError

from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue.models.duty_run import INTERVALS, Duty, DutyRun
from integrations.queue.waiting import requeue_waiting
from tests.support import duty_runs, factories
from tests.support.factories import recorded


def test_changed_policies_are_audited_with_before_and_after(organization, super_admin):
    changed = set_policies(organization, {"bulk_limit": 7, "note_on_skip": True}, super_admin)
    assert changed == {"bulk_limit": (50, 7)}
    assert recorded().get().changes == {"bulk_limit": [50, 7]}
    assert set_policies(organization, {"bulk_limit": 7}, super_admin) == {}
    assert recorded().count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"rating_thresholds": [25, True, 75]},
        {"rating_thresholds": {"2": 25}},
        {"slug": "another"},
        {"webhook_key": "guessable"},
    ],
    ids=str,
)
def test_an_impossible_policy_is_refused(organization, super_admin, changes):
    with pytest.raises(ValidationError):
        set_policies(organization, changes, super_admin)
    before = type(organization).objects.get(pk=organization.pk)
    assert all(getattr(before, name) != value for name, value in changes.items())
    assert all(getattr(organization, name) == getattr(before, name) for name in changes)
    assert not recorded().exists()


def test_ending_the_pause_requeues_what_waited(organization, super_admin):
    set_policies(organization, {"paused": True}, super_admin)
    row = factories.DeliveryFactory(
        organization=organization, verdict="paused", decided_at="2026-01-01T00:00Z", due_at=None
    )
    effect = factories.EffectFactory(organization=organization, due_at="2999-01-01T00:00Z")
    set_policies(organization, {"paused": False}, super_admin)
    assert Delivery.objects.due().get() == row
    assert Effect.objects.due().get() == effect


def test_a_pause_can_be_ended_although_another_stored_policy_is_invalid(organization, super_admin):
    Organization.objects.update(paused=True, time_zone="Mars/Phobos")
    organization.refresh_from_db()
    assert set_policies(organization, {"paused": False}, super_admin) == {"paused": (True, False)}
    assert not Organization.objects.get().paused
    with pytest.raises(ValidationError, match="time zone"):
        set_policies(organization, {"time_zone": "Mars/Deimos"}, super_admin)


# requeueing what waited for a pause to end or a connection to come back


def test_requeueing_is_limited_to_the_organization(organization, stranger):
    other = stranger.memberships.get().organization
    rows = {}
    for where in (organization, other):
        for verdict in ("paused", "disconnected", "left_stage"):
            row = factories.DeliveryFactory(
                organization=where, verdict=verdict, decided_at="2026-01-01T00:00Z", due_at=None
            )
            rows[where.pk, verdict] = row
    assert requeue_waiting(organization) == 2
    woken = set(Delivery.objects.due().values_list("pk", flat=True))
    assert woken == {rows[organization.pk, "paused"].pk, rows[organization.pk, "disconnected"].pk}


@pytest.mark.parametrize("duty", INTERVALS)
def test_what_is_done_by_the_clock_is_done_again_when_the_connection_is_back(connected_organization, duty):
    LeverConnection.objects.update(state="needs_reconnect")
    run = duty_runs.perform(duty, connected_organization)
    assert run not in DutyRun.objects.due()
    LeverConnection.objects.update(state="connected")
    requeue_waiting(connected_organization)
    assert list(DutyRun.objects.due()) == [run]


def test_a_duty_that_was_left_out_is_done_when_the_pause_ends(connected_organization, super_admin):
    set_policies(connected_organization, {"paused": True}, super_admin)
    run = duty_runs.perform(Duty.SWEEP, connected_organization)
    assert run not in DutyRun.objects.due()
    set_policies(connected_organization, {"paused": False}, super_admin)
    assert list(DutyRun.objects.due()) == [run]
