"""Every schedule runs as it is written: the queue would only log that one can't."""

import ast
import threading
import time
from contextlib import contextmanager, nullcontext
from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from integrations.models import (
    Assessment,
    CodeScreenConnection,
    Effect,
    Heartbeat,
    LeverConnection,
    Role,
    Stage,
)
from integrations.queue import duties, liveness, notify, schedules, worker
from integrations.queue.schedules import Duty, Timing
from tests import factories


@pytest.fixture
def alone(monkeypatch):
    """No background thread: it wouldn't see a test's transaction."""
    for module in (schedules, duties):
        monkeypatch.setattr(module, "keep_draining", nullcontext)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("duty", schedules.Duty)
def test_every_schedule_runs(duty, connected_organization) -> None:
    schedules.ensure_schedules()
    schedule = Schedule.objects.get(name=duty.value)
    import_string(schedule.func)(*ast.literal_eval(f"({schedule.args},)"))


def test_a_schedule_of_an_earlier_release_follows_this_one(db) -> None:
    name = Duty.SWEEP.value
    Schedule.objects.create(
        name=name, func="integrations.earlier.sweep", schedule_type=Schedule.MINUTES, minutes=5
    )
    schedules.ensure_schedules()
    schedules.ensure_schedules()
    schedule = Schedule.objects.get(name=name)
    assert (schedule.func, schedule.args, schedule.minutes) == (
        "integrations.queue.schedules.perform_duty",
        "'sweep'",
        10,
    )


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_does_something_long_works_due_rows_meanwhile(monkeypatch) -> None:
    effect = factories.EffectFactory.create(due_at=None, state="done")
    worked = threading.Event()

    def perform(row) -> None:
        row.finish()
        worked.set()

    monkeypatch.setattr(worker, "perform_effect", perform)
    was_worked = []

    def long_duty() -> None:
        Effect.objects.filter(pk=effect.pk).update(state="due", due_at=Now())
        was_worked.append(worked.wait(20))

    monkeypatch.setattr(schedules, "DUTIES", {Duty.SWEEP: Timing(long_duty, 1)})
    schedules.perform_duty(Duty.SWEEP.value)
    assert was_worked == [True]
    assert Heartbeat.is_fresh(liveness.DRAIN, timedelta(seconds=20))
    assert Effect.objects.get().state == "done"


@pytest.mark.django_db(transaction=True)
def test_who_is_about_to_be_killed_for_taking_too_long_works_no_more_rows(monkeypatch) -> None:
    begun = []
    monkeypatch.setattr(worker, "LAST_STEPS_SECONDS", notify.LONG_SECONDS - 0.2)
    monkeypatch.setattr(worker, "BACKGROUND_PAUSE", 0.05)
    monkeypatch.setattr(worker, "drain", lambda _: begun.append(time.monotonic()))
    with worker.keep_draining():
        began = time.monotonic()
        time.sleep(0.6)
    assert begun
    assert max(begun) - began < 0.4


def test_a_long_task_has_time_for_its_last_jobs_and_is_over_before_it_is_handed_out_again(
    db, organization, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    asked = []
    monkeypatch.setattr(notify, "async_task", lambda *_, q_options: asked.append(q_options["timeout"]))
    with django_capture_on_commit_callbacks(execute=True):
        notify.request_catalog_refresh(organization)
    schedules.ensure_schedules()
    rows = Schedule.objects.filter(func="integrations.queue.schedules.perform_duty")
    asked += [ast.literal_eval(schedule.kwargs)["q_options"]["timeout"] for schedule in rows]
    assert set(asked) == {notify.LONG_SECONDS}
    a_drain_has = settings.Q_CLUSTER["timeout"] - worker.DRAIN_SECONDS
    assert a_drain_has <= worker.LAST_STEPS_SECONDS
    assert settings.Q_CLUSTER["retry"] > notify.LONG_SECONDS


def test_lists_that_are_read_slowly_keep_nobody_waiting(connected_organization, monkeypatch) -> None:
    inside = []

    @contextmanager
    def meanwhile():
        inside.append(True)
        yield
        inside.pop()

    monkeypatch.setattr(duties, "keep_draining", meanwhile)
    seen = []
    monkeypatch.setattr(duties, "refresh_stages", lambda *_: seen.append(bool(inside)))
    duties.refresh_catalog(connected_organization.pk)
    assert seen == [True]


def test_a_bug_on_one_organization_does_not_keep_the_others_from_a_checkup(
    connected_organization, monkeypatch, caplog
) -> None:
    other = factories.LeverConnectionFactory.create().organization
    looked, personal = [], "ada" + "@example.com"

    def look(organization, _) -> None:
        looked.append(organization.pk)
        raise KeyError(personal)

    monkeypatch.setattr("integrations.workflow.health.lever_probe.probe", look)
    duties.probe_lever()
    assert set(looked) == {connected_organization.pk, other.pk}
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


def test_a_grant_without_a_refresh_token_is_left_alone(connected_organization) -> None:
    connection = LeverConnection.objects.get(organization=connected_organization)
    connection.refresh_token = ""
    connection.save()
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(days=2))
    duties.refresh_grants()
    connection.refresh_from_db()
    assert connection.state == LeverConnection.State.CONNECTED


@pytest.mark.usefixtures("alone")
def test_the_lists_of_one_organization_are_read_and_an_untried_key_is_proved(connected_organization) -> None:
    duties.refresh_catalog(connected_organization.pk)
    for model in (Stage, Role, Assessment):
        assert model.objects.live().filter(organization=connected_organization).exists(), model
    assert CodeScreenConnection.objects.get(organization=connected_organization).verified_at


@pytest.mark.usefixtures("alone")
def test_a_refused_key_is_marked_while_the_lists_are_read(connected_organization) -> None:
    CodeScreenConnection.objects.get(organization=connected_organization).delete()
    CodeScreenConnection.objects.create(organization=connected_organization, api_key="not-the-key")
    duties.refresh_catalog(connected_organization.pk)
    assert (
        CodeScreenConnection.objects.get(organization=connected_organization).state
        == CodeScreenConnection.State.REFUSED
    )
    assert Stage.objects.live().filter(organization=connected_organization).exists()


@pytest.mark.usefixtures("alone")
def test_reading_the_lists_of_an_unconnected_organization_changes_nothing(organization) -> None:
    duties.refresh_catalog(organization.pk)
    assert not Stage.objects.exists()
