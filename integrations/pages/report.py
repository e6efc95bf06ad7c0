"""The report of a period: invitations, starts, results and times by role, assessment and month; and as CSV."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.generic import TemplateView

from integrations.members.models.membership import TEAM
from integrations.pages.access import OrganizationMixin
from integrations.pages.report_figures import (
    COUNTED_FOR,
    PRESETS,
    Figures,
    Lines,
    Period,
    asked_period,
    counted_report,
    report_lines,
)
from integrations.pages.times import duration
from integrations.pages.views import ListExport

NO_ROLE = "No role"
COLUMNS = (
    "month",
    "role",
    "assessment",
    "invited",
    "started",
    "completed",
    "passed",
    "failed",
    "expired",
    "result not stated",
    "not started in time",
    "mean hours to start",
    "mean hours to result",
)


class ReportMixin(OrganizationMixin):
    """The figures of the period in the address."""

    allowed_roles = TEAM

    def asked(self) -> tuple[Period, str]:
        """Return the period that the address asks for, and why it is another one."""
        return asked_period(self.request.GET.dict())


class ReportView(ReportMixin, TemplateView):
    """Show the report."""

    template_name = "integrations/report.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the figures, and arrange them by role, by assessment and by month."""
        period, correction = self.asked()
        report = counted_report(self.organization, period)
        return super().get_context_data(
            period=period,
            correction=correction,
            presets=_presets(period),
            total=report.total,
            mean_to_start=_words(report.total.seconds_to_start),
            tables=[
                ("roles", "By role", "Role", _rows(report.roles)),
                ("assessments", "By assessment", "Assessment", _rows(report.assessments)),
                (
                    "months",
                    "By month",
                    "Month",
                    [_row(f"{month:%B %Y}", one) for month, one in reversed(report.months)],
                ),
            ],
            counted_for=int(COUNTED_FOR.total_seconds() // 60),
            **kwargs,
        )


class ReportExportView(ReportMixin, ListExport):
    """The report as CSV, one line for each month, role and assessment."""

    list_name = "report"

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Return the file."""
        period, _ = self.asked()
        filename = f"report-{self.organization.slug}-{period.first}-{period.last}.csv"
        lines = report_lines(self.organization, period)
        return self.file(filename, COLUMNS, _cells(lines), len(lines))


def _cells(lines: Lines) -> Iterator[tuple[object, ...]]:
    for month, role, assessment in sorted((month, role, assessment) for role, assessment, month in lines):
        figures = lines[role, assessment, month]
        yield (
            f"{month:%Y-%m}",
            role,
            assessment,
            figures.sent,
            figures.started,
            figures.completed,
            figures.passed,
            figures.failed,
            figures.expired,
            figures.unstated,
            figures.no_shows,
            _hours(figures.seconds_to_start),
            _hours(figures.seconds_to_finish),
        )


def _hours(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds / 3600:.1f}"


def _presets(period: Period) -> list[tuple[str, Period, bool]]:
    """Return each period that one click chooses, with its label and whether it is shown."""
    today = timezone.localdate()
    presets = [(label, Period(today - timedelta(days=days - 1), today)) for days, label in PRESETS.items()]
    return [(label, preset, preset == period) for label, preset in presets]


def _rows(groups: Sequence[tuple[str, Figures]]) -> list[tuple[str, Figures, str, str]]:
    """Return the rows of roles or assessments, those with the most invitations first."""
    most_first = sorted(groups, key=lambda group: (-group[1].sent, group[0]))
    return [_row(name or NO_ROLE, figures) for name, figures in most_first]


def _row(name: str, figures: Figures) -> tuple[str, Figures, str, str]:
    """Return a row of a table: a name, its figures, and the mean times to start and to result in words."""
    return name, figures, _words(figures.seconds_to_start), _words(figures.seconds_to_finish)


def _words(seconds: float | None) -> str:
    return "—" if seconds is None else duration(seconds)
