"""Every schedule runs as it is written: the queue would only log that one can't."""

import ast
import threading
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from integrations import tasks, upkeep
from integrations.models import (
    Assessment,
    CodeScreenConnection,
    Effect,
    Heartbeat,
    LeverConnection,
    Role,
    Stage,
)
from tests import factories


@pytest.mark.parametrize("name", upkeep.SCHEDULES)
def test_every_schedule_runs(name, linked, monkeypatch) -> None:
    monkeypatch.setattr(tasks, "meanwhile", nullcontext)  # its thread doesn't see this test's transaction
    upkeep.ensure_schedules()
    schedule = Schedule.objects.get(name=name)
    import_string(schedule.func)(*ast.literal_eval(f"({schedule.args},)"))


def test_a_schedule_of_an_earlier_release_follows_this_one(db) -> None:
    name = "integrations.upkeep.sweep_all"
    Schedule.objects.create(name=name, func=name, schedule_type=Schedule.MINUTES, minutes=5)
    upkeep.ensure_schedules()
    upkeep.ensure_schedules()
    schedule = Schedule.objects.get(name=name)
    assert (schedule.func, schedule.args, schedule.minutes) == (
        "integrations.upkeep.perform",
        "'sweep_all'",
        10,
    )


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_does_something_long_works_due_rows_meanwhile(monkeypatch) -> None:
    effect = factories.EffectFactory.create(due_at=None, state="done")
    worked = threading.Event()

    def perform(row) -> None:
        row.finish()
        worked.set()

    monkeypatch.setattr(tasks, "_perform", perform)
    was_worked = []

    def long_duty() -> None:
        Effect.objects.filter(pk=effect.pk).update(state="due", due_at=Now())
        was_worked.append(worked.wait(20))

    monkeypatch.setattr(upkeep, "DUTIES", {long_duty: 1})
    upkeep.perform("long_duty")
    assert was_worked == [True]
    assert Heartbeat.is_fresh(tasks.DRAIN, timedelta(seconds=20))
    assert Effect.objects.get().state == "done"


def test_a_grant_is_refreshed_daily(linked) -> None:
    connection = LeverConnection.objects.get(organization=linked)
    before = connection.access_token
    upkeep.keep_alive()
    connection.refresh_from_db()
    assert connection.access_token == before

    LeverConnection.objects.update(
        refreshed_at=timezone.now() - upkeep.KEEP_ALIVE_AFTER - timedelta(minutes=1)
    )
    upkeep.keep_alive()
    connection.refresh_from_db()
    assert connection.access_token != before
    assert connection.refreshed_at is not None
    assert connection.refreshed_at > timezone.now() - timedelta(minutes=1)


def test_a_grant_without_a_refresh_token_is_left_alone(linked) -> None:
    connection = LeverConnection.objects.get(organization=linked)
    connection.refresh_token = ""
    connection.save()
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(days=2))
    upkeep.keep_alive()
    connection.refresh_from_db()
    assert connection.state == LeverConnection.State.CONNECTED


def test_the_lists_of_one_organization_are_read_and_an_untried_key_is_proved(linked) -> None:
    upkeep.refresh_lists(linked.pk)
    for model in (Stage, Role, Assessment):
        assert model.objects.live().filter(organization=linked).exists(), model
    assert CodeScreenConnection.objects.get(organization=linked).verified_at


def test_a_refused_key_is_marked_while_the_lists_are_read(linked) -> None:
    CodeScreenConnection.objects.get(organization=linked).delete()
    CodeScreenConnection.objects.create(organization=linked, api_key="not-the-key")
    upkeep.refresh_lists(linked.pk)
    assert CodeScreenConnection.objects.get(organization=linked).state == CodeScreenConnection.State.REFUSED
    assert Stage.objects.live().filter(organization=linked).exists()


def test_reading_the_lists_of_an_unconnected_organization_changes_nothing(organization) -> None:
    upkeep.refresh_lists(organization.pk)
    assert not Stage.objects.exists()
