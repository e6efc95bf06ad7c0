"""Every duty has a schedule that runs as it is written: the queue would only log an error."""

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
def without_background_draining(monkeypatch):
    """Run no background thread: it wouldn't see a test's transaction."""
    for module in (schedules, duties):
        monkeypatch.setattr(module, "keep_draining", nullcontext)


@pytest.mark.usefixtures("without_background_draining")
@pytest.mark.parametrize("duty", schedules.Duty)
def test_every_duty_runs_as_it_is_scheduled(duty, connected_organization) -> None:
    schedules.ensure_schedules()
    schedule = Schedule.objects.get(name=duty.value)
    import_string(schedule.func)(*ast.literal_eval(f"({schedule.args},)"))


def test_a_schedule_of_an_earlier_release_is_updated(db) -> None:
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
def test_due_rows_are_worked_while_a_long_duty_runs(monkeypatch) -> None:
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
def test_background_draining_stops_before_the_task_times_out(monkeypatch) -> None:
    drains = []
    monkeypatch.setattr(worker, "LAST_STEPS_SECONDS", notify.LONG_SECONDS - 0.2)
    monkeypatch.setattr(worker, "BACKGROUND_PAUSE", 0.05)
    monkeypatch.setattr(worker, "drain", lambda _: drains.append(time.monotonic()))
    with worker.keep_draining():
        started = time.monotonic()
        time.sleep(0.6)
    assert drains
    assert max(drains) - started < 0.4


def test_long_tasks_time_out_before_the_queue_hands_them_out_again(
    db, organization, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    timeouts = []
    monkeypatch.setattr(notify, "async_task", lambda *_, q_options: timeouts.append(q_options["timeout"]))
    with django_capture_on_commit_callbacks(execute=True):
        notify.request_catalog_refresh(organization)
    schedules.ensure_schedules()
    rows = Schedule.objects.filter(func="integrations.queue.schedules.perform_duty")
    timeouts += [ast.literal_eval(schedule.kwargs)["q_options"]["timeout"] for schedule in rows]
    assert set(timeouts) == {notify.LONG_SECONDS}
    a_drain_has = settings.Q_CLUSTER["timeout"] - worker.DRAIN_SECONDS
    assert a_drain_has <= worker.LAST_STEPS_SECONDS
    assert settings.Q_CLUSTER["retry"] > notify.LONG_SECONDS


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


@pytest.mark.usefixtures("without_background_draining")
def test_a_catalog_refresh_of_an_unconnected_organization_changes_nothing(organization) -> None:
    duties.refresh_catalog(organization.pk)
    assert not Stage.objects.exists()
