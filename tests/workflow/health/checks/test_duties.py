"""Findings on duties that fail again and again or haven't been done for long."""

from datetime import timedelta

from django.utils import timezone

from integrations.models import Duty, DutyRun
from integrations.workflow.health.checks.duties import check_duties


def test_a_duty_that_keeps_failing_is_found_with_its_error(organization) -> None:
    row = DutyRun.objects.create(
        organization=organization, duty=Duty.SWEEP, failures=2, last_error="Lever answered 500."
    )
    assert list(check_duties(organization)) == []
    DutyRun.objects.filter(pk=row.pk).update(failures=3, created_at=timezone.now() - timedelta(days=9))
    (finding,) = check_duties(organization)
    assert (finding.code, finding.level) == ("duty_failing", "warning")
    assert "Sweep failed 3 times in a row. Lever answered 500." in finding.message


def test_an_overdue_duty_that_gets_on_is_no_warning(organization) -> None:
    DutyRun.objects.create(
        organization=organization,
        duty=Duty.PURGE,
        succeeded_at=timezone.now() - timedelta(days=5),
        place={"people": [0, "opportunity-7"]},
    )
    (finding,) = check_duties(organization)
    assert (finding.code, finding.level) == ("duty_overdue", "info")
    assert "under way" in finding.message


def test_an_overdue_duty_is_found(organization) -> None:
    DutyRun.objects.create(
        organization=organization, duty=Duty.SWEEP, succeeded_at=timezone.now() - timedelta(minutes=39)
    )
    assert list(check_duties(organization)) == []
    DutyRun.objects.update(succeeded_at=timezone.now() - timedelta(minutes=41))
    (finding,) = check_duties(organization)
    assert (finding.code, finding.level) == ("duty_overdue", "warning")
    assert "41 minutes" in finding.message
