"""Requeueing what waited for a pause to end or a connection to come back."""

import pytest
from django.db import connection
from django.utils import timezone

from integrations.core.verdict_code import WAITING_VERDICTS, VerdictCode
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


@pytest.mark.parametrize("by_organization", [True, False])
@pytest.mark.parametrize(
    "decided",
    [[VerdictCode.INVITE], [code for code in VerdictCode if code not in WAITING_VERDICTS]],
    ids=["one verdict", "every verdict"],
)
def test_what_waits_is_found_by_the_index_of_verdicts_among_many_deliveries(
    organization, by_organization, decided
):
    Delivery.objects.bulk_create(
        Delivery(
            organization=organization,
            platform="lever",
            event="candidateStageChange",
            dedupe_key=str(number),
            payload={},
            verdict=decided[number % len(decided)] if number else "paused",
            decided_at=timezone.now(),
            due_at=None,
        )
        for number in range(2000)
    )
    # SQLite, which the portal never has analyze its tables, would then read all of an organization's deliveries
    if connection.vendor == "postgresql" or len(decided) > 1:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    stranded = Delivery.objects.stranded().order_by()
    asked = (
        stranded.filter(organization=organization)
        if by_organization
        else stranded.values("organization").distinct()
    )
    plan = asked.explain()
    assert "delivery_verdict" in plan
    assert stranded.get().verdict == "paused"
