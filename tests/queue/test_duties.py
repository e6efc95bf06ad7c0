"""Perform the duties, longest-waiting first, and record how each went without harm to other organizations."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from integrations.catalog.models import Stage
from integrations.clients import limits
from integrations.codescreen.models import CodeScreenConnection
from integrations.http.session import PlatformError
from integrations.lever.models.connection import LeverConnection
from integrations.queue import duties, worker
from integrations.queue.models.duty_run import INTERVALS, Duty, DutyRun
from integrations.store.encryption import sealed
from integrations.store.leasing import MAX_CONSECUTIVE_CRASHES
from tests.support import duty_runs, factories


def perform_instead(monkeypatch, duty: Duty, step) -> None:
    monkeypatch.setitem(duties.DUTIES, duty, duties.Performance(duties.whole(step)))


@pytest.mark.parametrize("duty", Duty)
def test_every_duty_is_performed(duty, connected_organization) -> None:
    row = duty_runs.perform(duty, connected_organization)
    while row.place:
        row = duty_runs.perform(duty, connected_organization)
    assert (row.failures, row.last_error) == (0, "")
    assert row.succeeded_at is not None


def test_a_duty_that_succeeded_is_due_again_within_its_interval(organization, monkeypatch) -> None:
    perform_instead(monkeypatch, Duty.SWEEP, lambda _: None)
    for _ in range(20):
        row = duty_runs.perform(Duty.SWEEP, organization)
        assert row.due_at is not None
        assert timedelta(minutes=7) < row.due_at - timezone.now() < timedelta(minutes=9, seconds=1)


def test_no_other_organization_is_concerned_when_a_duty_crashes(db, monkeypatch, caplog) -> None:
    personal = "ada" + "@example.com"
    done = []

    def crash_for_first(organization):
        done.append(organization.pk)
        if organization.pk == first.pk:
            raise KeyError(personal)

    first, second = factories.OrganizationFactory.create(), factories.OrganizationFactory.create()
    perform_instead(monkeypatch, Duty.SWEEP, crash_for_first)
    for organization in (first, second):
        DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    assert worker.perform_duties() == 2
    assert done == [first.pk, second.pk]
    failed, succeeded = DutyRun.objects.order_by("pk")
    assert (failed.failures, succeeded.failures) == (1, 0)
    assert "KeyError" in failed.last_error
    assert failed.traceback.endswith("KeyError")
    assert personal not in caplog.text + failed.last_error + failed.traceback


def test_failures_in_a_row_are_counted_until_a_success(organization, monkeypatch) -> None:
    def refuse(_):
        raise PlatformError("Lever answered 500 for ada" + "@example.com")

    perform_instead(monkeypatch, Duty.PURGE, refuse)
    for failures in (1, 2, 3):
        row = duty_runs.perform(Duty.PURGE, organization)
        assert (row.failures, row.last_error) == (failures, "Lever answered 500 for [redacted]")
        assert row.due_at is not None
        assert row.due_at < timezone.now() + timedelta(minutes=15)  # sooner than by its interval
    perform_instead(monkeypatch, Duty.PURGE, lambda _: None)
    row = duty_runs.perform(Duty.PURGE, organization)
    assert (row.failures, row.last_error) == (0, "")


def perform_turns(monkeypatch, turn) -> None:
    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(turn))


def test_a_duty_with_more_to_do_goes_on_at_once_from_where_it_got_to(organization, monkeypatch) -> None:
    places = []

    def read_page(_, place):
        places.append(place)
        page = place.get("page", 0) + 1
        return {"page": page} if page < 3 else {}

    perform_turns(monkeypatch, read_page)
    for _ in range(2):
        row = duty_runs.perform(Duty.SWEEP, organization)
        assert (row.failures, row.succeeded_at) == (0, None)
        assert row in DutyRun.objects.due()
    row = duty_runs.perform(Duty.SWEEP, organization)
    assert (row.succeeded_at is None, row.place) == (False, {})
    assert places == [{}, {"page": 1}, {"page": 2}]


def test_turns_of_other_organizations_come_between_those_of_a_long_duty(db, monkeypatch) -> None:
    done = []

    def turn(organization, place):
        done.append(organization.pk)
        return {"page": 1} if len(done) < 4 else {}

    perform_turns(monkeypatch, turn)
    long, other = factories.OrganizationFactory.create(), factories.OrganizationFactory.create()
    for organization in (long, other):
        DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    worker.perform_duties()
    assert done[:4] == [long.pk, other.pk, long.pk, other.pk]


def test_a_duty_that_keeps_failing_at_its_place_begins_anew(organization, monkeypatch) -> None:
    def fail_behind_first_page(_, place):
        if not place:
            return {"page": 1}
        raise PlatformError("Lever answered 500")

    perform_turns(monkeypatch, fail_behind_first_page)
    places = [duty_runs.perform(Duty.SWEEP, organization).place for _ in range(4)]
    assert places == [{"page": 1}, {"page": 1}, {"page": 1}, {}]


def test_no_call_begins_when_the_turn_is_over(connected_organization, monkeypatch) -> None:
    monkeypatch.setattr(duties, "TURN_SECONDS", -1.0)
    row = duty_runs.perform(Duty.REFRESH_LEVER_LISTS, connected_organization)
    assert (row.failures, row.last_error, row.succeeded_at) == (0, limits.TIME_IS_UP, None)
    assert not Stage.objects.exists()


def test_a_duty_requested_while_it_runs_is_due_again_at_once(organization, monkeypatch) -> None:
    row = DutyRun.objects.create(organization=organization, duty=Duty.REFRESH_ASSESSMENTS)
    perform_instead(
        monkeypatch,
        Duty.REFRESH_ASSESSMENTS,
        lambda _: DutyRun.objects.request(Duty.REFRESH_ASSESSMENTS, [organization.pk]),
    )
    duties.perform_duty(factories.claimed(DutyRun, "one"))
    row.refresh_from_db()
    assert row.priority == DutyRun.REQUESTED
    assert DutyRun.objects.due().get() == row


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_duty_requested_in_the_instant_in_which_its_run_begins_is_due_again_if_it_was_begun(
    organization, is_begun
) -> None:
    DutyRun.objects.create(organization=organization, duty=Duty.REFRESH_ASSESSMENTS)
    run = factories.claimed(DutyRun, "one") if is_begun else None
    DutyRun.objects.request(Duty.REFRESH_ASSESSMENTS, [organization.pk])
    run = run or factories.claimed(DutyRun, "one")
    DutyRun.objects.filter(requested_at__isnull=False).update(requested_at=F("started_at"))
    run.succeed(1)
    assert DutyRun.objects.due().exists() is is_begun


def test_a_duty_that_kills_its_workers_is_a_failure_and_waits_for_its_next_time(organization) -> None:
    row = DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    for _ in range(MAX_CONSECUTIVE_CRASHES + 1):
        run = factories.claimed(DutyRun, "killed")
        DutyRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    duties.perform_duty(run)
    row.refresh_from_db()
    assert row.failures == 1
    assert "none finished" in row.last_error
    assert DutyRun.claim("next") is None


def test_an_unconnected_organization_is_no_failure(organization) -> None:
    for duty in (Duty.REFRESH_LEVER_LISTS, Duty.REFRESH_ASSESSMENTS, Duty.PROBE_LEVER, Duty.REFRESH_GRANT):
        assert duty_runs.perform(duty, organization).failures == 0
    assert not Stage.objects.exists()


def test_a_refused_key_is_retried_and_no_failure_while_it_stays_refused(connected_organization) -> None:
    right = CodeScreenConnection.objects.get()
    CodeScreenConnection.objects.update(**sealed(right, api_key="not-the-key"), state="refused")
    row = duty_runs.perform(Duty.RETRY_REFUSED_KEY, connected_organization)
    assert CodeScreenConnection.objects.get().state == CodeScreenConnection.State.REFUSED
    assert row.failures == 0
    CodeScreenConnection.objects.update(**sealed(right, api_key=right.api_key))
    duty_runs.perform(Duty.RETRY_REFUSED_KEY, connected_organization)
    assert CodeScreenConnection.objects.get().is_working


def test_a_grant_is_refreshed_daily_if_it_can_be(connected_organization) -> None:
    before = LeverConnection.objects.get()
    duty_runs.perform(Duty.REFRESH_GRANT, connected_organization)
    assert LeverConnection.objects.get().generation == before.generation
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(hours=21))
    duty_runs.perform(Duty.REFRESH_GRANT, connected_organization)
    after = LeverConnection.objects.get()
    assert after.generation == before.generation + 1
    assert after.refresh_token != before.refresh_token
    assert after.refreshed_at is not None
    assert after.refreshed_at > timezone.now() - timedelta(minutes=1)
    after.refresh_token = ""
    after.save()
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(days=2))
    duty_runs.perform(Duty.REFRESH_GRANT, connected_organization)
    assert LeverConnection.objects.get().state == LeverConnection.State.CONNECTED


# which duty is claimed, and which are late


def waiting(minutes: float, duty: Duty = Duty.SWEEP) -> DutyRun:
    """Return a duty of a new organization that has been due for so many minutes."""
    row = DutyRun.objects.create(organization=factories.OrganizationFactory.create(), duty=duty)
    DutyRun.objects.filter(pk=row.pk).update(due_at=timezone.now() - timedelta(minutes=minutes))
    return row


def test_the_longest_waiting_is_claimed_first_whatever_the_organization(db) -> None:
    rows = {minutes: waiting(minutes) for minutes in (3, 9, 1, 6)}
    claimed = [factories.claimed(DutyRun, "one").pk for _ in rows]
    assert claimed == [rows[minutes].pk for minutes in (9, 6, 3, 1)]
    assert DutyRun.claim("two") is None


def test_a_run_is_due_in_the_moment_of_its_end_when_it_is_deferred_by_nothing(db) -> None:
    waiting(1)
    assert factories.claimed(DutyRun, "one").defer(0, timedelta(0), "")
    assert DutyRun.objects.filter(due_at__lte=F("finished_at")).exists()


@pytest.mark.parametrize("duty", INTERVALS)
def test_a_duty_is_overdue_when_it_has_not_succeeded_for_four_intervals(duty, organization) -> None:
    interval = INTERVALS[duty]
    row = DutyRun.objects.create(organization=organization, duty=duty)
    for column in ("created_at", "succeeded_at"):  # never done, and done before
        DutyRun.objects.filter(pk=row.pk).update(**{column: timezone.now() - 3.9 * interval})
        assert not DutyRun.objects.overdue().exists()
        DutyRun.objects.filter(pk=row.pk).update(**{column: timezone.now() - 4.1 * interval})
        assert DutyRun.objects.overdue().get() == row


def test_what_is_only_done_on_call_is_not_repeated_by_the_clock_and_never_overdue(organization) -> None:
    assert duty_runs.perform(Duty.REQUEUE_WAITING, organization).due_at is None
    DutyRun.objects.update(created_at=timezone.now() - timedelta(days=400))
    assert not DutyRun.objects.overdue().exists()
