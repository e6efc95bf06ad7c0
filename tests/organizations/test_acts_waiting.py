"""Requeueing what waited for a pause to end or a connection to come back."""

import pytest

from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.acts import set_policies
from integrations.queue.models.duty_run import INTERVALS, Duty, DutyRun
from integrations.queue.waiting import requeue_waiting
from tests.support import duty_runs, factories


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
