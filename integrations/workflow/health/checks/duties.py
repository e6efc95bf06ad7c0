"""Which duties of an organization fail again and again, or haven't been done for long."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from integrations.models import DutyRun, Organization
from integrations.workflow.health.checks.addresses import HEALTH
from integrations.workflow.health.findings import Finding, FindingCode, Level
from integrations.workflow.health.wording import lasting


def check_duties(organization: Organization) -> Iterator[Finding]:
    """Yield each duty that failed several times in a row, else each that is overdue."""
    runs = DutyRun.objects.filter(organization=organization)
    for run in runs.failing() | runs.overdue():
        yield _failing(organization, run) if run.is_failing else _overdue(organization, run)


def _failing(organization: Organization, run: DutyRun) -> Finding:
    return Finding(
        organization.slug,
        FindingCode.DUTY_FAILING,
        Level.WARNING,
        f"{run.get_duty_display()} failed {run.failures} times in a row. {run.last_error}",
        "The portal tries again automatically. If this continues, fix what the error says. If it says that the "
        "time was over, check whether Lever and CodeScreen answer, and ask the portal's operator "
        "whether the machine is overloaded.",
        HEALTH,
    )


def _overdue(organization: Organization, run: DutyRun) -> Finding:
    if run.place:
        return Finding(
            organization.slug,
            FindingCode.DUTY_OVERDUE,
            Level.INFO,
            f"{run.get_duty_display()} has more to do than usual and is under way. "
            f"It was last done {_since(run.succeeded_at or run.created_at)} ago.",
            "There is nothing to do: each turn goes on where the last one ended.",
            HEALTH,
        )
    return Finding(
        organization.slug,
        FindingCode.DUTY_OVERDUE,
        Level.WARNING,
        f"{run.get_duty_display()} is late. It was last done {_since(run.succeeded_at or run.created_at)} ago.",
        "Check that the workers run and keep up. More workers do more at once.",
        HEALTH,
    )


def _since(moment: datetime) -> str:
    return lasting((timezone.now() - moment).total_seconds())
