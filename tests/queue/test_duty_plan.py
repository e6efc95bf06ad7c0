"""Plan the duties: a row for each organization, and at once what something calls for."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.models import CodeScreenConnection, Delivery, Duty, DutyRun, Effect
from integrations.models.duty_run import INTERVALS
from integrations.queue import duty_plan, worker
from tests import factories


@pytest.fixture
def planned(ready_organization):
    """An organization whose rows are written and of which nothing is due."""
    duty_plan.plan_duties()
    DutyRun.objects.update(due_at=timezone.now() + timedelta(hours=1))
    return ready_organization


def called_for() -> list[str]:
    return list(DutyRun.objects.due().values_list("duty", flat=True))


def test_each_organization_has_each_duty_once(db) -> None:
    for _ in range(2):
        factories.OrganizationFactory.create()
        duty_plan.plan_duties()
    assert DutyRun.objects.count() == 2 * len(INTERVALS)


@pytest.mark.parametrize("duty", INTERVALS)
def test_new_duties_are_spread_over_the_interval(duty, db) -> None:
    factories.OrganizationFactory.create_batch(40)
    duty_plan.plan_duties()
    now, interval = timezone.now(), INTERVALS[duty]
    due_times = DutyRun.objects.filter(duty=duty).values_list("due_at", flat=True)
    waits = [(due_at - now) / interval for due_at in due_times if due_at is not None]
    assert -0.1 < min(waits) < 0.5 < max(waits) < 1.1


def test_a_plan_costs_as_many_queries_for_many_organizations_as_for_one(db) -> None:
    counts = []
    for number in (1, 40):
        factories.OrganizationFactory.create_batch(number)
        duty_plan.plan_duties()
        with CaptureQueriesContext(connection) as queries:
            duty_plan.plan_duties()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_nothing_is_called_for_when_nothing_is_wrong(planned) -> None:
    duty_plan.plan_duties()
    assert called_for() == []


def test_a_refused_key_is_retried_each_minute(planned) -> None:
    CodeScreenConnection.objects.update(state="refused")
    for _ in range(2):
        duty_plan.plan_duties()
        assert Duty.RETRY_REFUSED_KEY in called_for()
        DutyRun.objects.update(due_at=None)


def test_what_waited_is_requeued_when_the_connection_is_back(planned) -> None:
    waiting = {"verdict": "disconnected", "decided_at": timezone.now(), "organization": planned}
    factories.DeliveryFactory.create(**waiting, due_at=None)
    CodeScreenConnection.objects.update(state="refused")
    duty_plan.plan_duties()
    assert Duty.REQUEUE_WAITING not in called_for()
    CodeScreenConnection.objects.update(state="connected")
    duty_plan.plan_duties()
    assert Duty.REQUEUE_WAITING in called_for()


def test_deliveries_that_are_scheduled_already_are_left_to_their_time(planned) -> None:
    in_an_hour = timezone.now() + timedelta(hours=1)
    waiting = {"verdict": "disconnected", "decided_at": timezone.now(), "organization": planned}
    factories.DeliveryFactory.create(**waiting, due_at=in_an_hour)
    effect = factories.EffectFactory.create(organization=planned, due_at=in_an_hour)
    duty_plan.plan_duties()
    worker.perform_duties()
    effect.refresh_from_db()
    assert effect.due_at == in_an_hour


def test_waiting_deliveries_are_found_by_their_index(db) -> None:
    with CaptureQueriesContext(connection) as queries:
        duty_plan.plan_duties()
    (sql,) = [query["sql"] for query in queries if "is_waiting" in query["sql"]]
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # the table is empty here
        cursor.execute(f"{explain} {sql}")
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert "delivery_waiting" in plan


def test_incidents_are_looked_at_again_only_when_they_changed(planned) -> None:
    effect = factories.EffectFactory.create(
        organization=planned, state=Effect.State.FAILED, due_at=None, failed_at=timezone.now()
    )
    Delivery.objects.all().delete()
    duty_plan.plan_duties()
    assert called_for() == [Duty.UPDATE_INCIDENTS]
    worker.perform_duties()
    planned.incidents.update(notified_at=timezone.now())
    duty_plan.plan_duties()
    assert called_for() == []
    Effect.objects.filter(pk=effect.pk).update(state=Effect.State.DONE)
    duty_plan.plan_duties()
    assert called_for() == [Duty.UPDATE_INCIDENTS]
