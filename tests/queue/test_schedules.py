"""The schedules are written once, and what they name is there: the queue would only log an error."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule

from integrations.models import AttemptLimit, PendingMembership
from integrations.models.attempt_limit import Limit
from integrations.queue import schedules
from tests import factories
from tests.attempt_limits import let_pass


def names() -> list[str]:
    return sorted(str(schedule.name) for schedule in Schedule.objects.all())


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_what_is_scheduled_runs(name, connected_organization) -> None:
    schedules.ensure_schedules()
    schedule = Schedule.objects.get(name=name)
    import_string(schedule.func)()


def test_a_schedule_of_an_earlier_release_is_updated(db) -> None:
    Schedule.objects.create(
        name="plan_duties", func="integrations.earlier.plan", schedule_type=Schedule.MINUTES, minutes=5
    )
    schedules.ensure_schedules()
    schedule = Schedule.objects.get(name="plan_duties")
    assert (schedule.func, schedule.minutes) == ("integrations.queue.duty_plan.plan_duties", 1)


def test_schedules_are_written_once(db):
    for _ in range(2):
        schedules.ensure_schedules()
    assert names() == sorted(schedules.SCHEDULES)
    assert not OrmQ.objects.exists()


def test_duplicate_schedules_are_merged(db):
    schedules.ensure_schedules()
    for schedule in Schedule.objects.all():
        Schedule.objects.create(name=schedule.name, func=schedule.func)
    schedules.ensure_schedules()
    assert names() == sorted(schedules.SCHEDULES)


def test_only_retired_schedules_of_our_own_are_removed(db):
    Schedule.objects.create(name="sweep", func="integrations.queue.schedules.perform_duty")
    Schedule.objects.create(name="report", func="operators.own.report")
    schedules.ensure_schedules()
    assert "sweep" not in names()
    assert "report" in names()


def test_the_clean_up_deletes_addresses_that_nobody_needs_any_more(organization) -> None:
    now = timezone.now()
    for days, address in ((38, "long.ago@acme.example"), (36, "lately@acme.example")):
        pending = factories.invited(organization, address)
        pending.invited_at = now - timedelta(days=days)
        pending.save()
    AttemptLimit.take({"of an address": Limit(1, 60.0)})
    let_pass(2 * 24 * 3600)
    schedules.clean_up()
    assert [pending.email for pending in PendingMembership.objects.all()] == ["lately@acme.example"]
    assert not AttemptLimit.objects.exists()
