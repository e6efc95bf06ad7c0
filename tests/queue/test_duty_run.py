"""Duties are claimed longest-waiting first, and those that are late or fail are found."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from integrations.queue.models.duty_run import INTERVALS, Duty, DutyRun
from tests.support import duty_runs, factories


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
