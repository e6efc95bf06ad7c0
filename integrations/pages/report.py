"""The report of a period: what became of those invited, by role, assessment, source and week; and as CSV."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.generic import TemplateView

from integrations.core.vocabulary import Origin, lower_first
from integrations.members.models.membership import TEAM
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.candidate_filters import NONE, CandidateFilters, Figure
from integrations.pages.activity.steps import Became, Step
from integrations.pages.report_figures import ALL, By, Figures, Line, Period, asked_period, report_of
from integrations.pages.times import Times
from integrations.pages.views import ListExport

COLUMNS = (
    "by",
    "line",
    *(became.label.lower() for became in Became),
    "median hours to start",
    "hours to start for 95 %",
    "median hours to result",
    "hours to result for 95 %",
)


@dataclass(frozen=True)
class Row:
    """What a line of a table is called, its counts, and how long it took to the start and to the result."""

    name: str
    figures: list[Figure]
    to_start: Times | None
    to_result: Times | None


@dataclass(frozen=True)
class Table:
    """The lines of one table."""

    by: By
    rows: list[Row]

    @property
    def heading(self) -> str:
        return f"By {lower_first(self.by.label)}"


class ReportView(OrganizationMixin, TemplateView):
    """Show the report of the period in the address."""

    template_name = "integrations/report.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        period = asked_period(self.request.GET.dict())
        report = report_of(self.organization, period)
        total = report.get(ALL, Figures())
        return super().get_context_data(
            period=period,
            total=_row(ALL, total, period),
            pass_percent=total.pass_percent,
            unstated=total.counts[Became.NOT_STATED],
            tables=[
                Table(by, [_row(line, report[line], period) for line in _in_order(by, report)]) for by in By
            ],
            **kwargs,
        )


class ReportExportView(ListExport):
    """The same as CSV: each line of each table."""

    allowed_roles = TEAM
    list_name = "report"
    list_page = "report"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        period = asked_period(self.request.GET.dict())
        filename = f"report-{self.organization.slug}-{period.first}-{period.last}.csv"
        return self.file(filename, COLUMNS, _cells(report_of(self.organization, period)))


def _cells(report: dict[Line, Figures]) -> Iterator[tuple[object, ...]]:
    for by in By:
        for line in _in_order(by, report):
            figures = report[line]
            seconds = [(one.median, one.most) if one else (None, None) for one in figures.times]
            hours = [None if one is None else f"{one / 3600:.1f}" for pair in seconds for one in pair]
            yield by.label, _title(line), *(figures.counts[became] for became in Became), *hours


def _in_order(by: By, report: dict[Line, Figures]) -> list[Line]:
    """Return a table's lines: the latest week first, else those with the most candidates."""
    lines = sorted((line for line in report if line[0] is by), reverse=by is By.WEEK)
    return lines if by is By.WEEK else sorted(lines, key=lambda line: -report[line].counts[Became.SENT])


def _row(line: Line, figures: Figures, period: Period) -> Row:
    filters = _filters(line, period)
    shown = [replace(filters, became=one.value).figure(one.label, figures.counts[one]) for one in Became]
    return Row(_title(line), shown, *figures.times)


def _title(line: Line) -> str:
    match line:
        case By.ROLE, name if name == NONE:
            return "No role"
        case _, name if name == NONE:
            return "Not known"
        case By.ORIGIN, name:
            return Origin(name).label
        case By.WEEK, name:
            monday = date.fromisoformat(name)
            return f"{monday:%-d %b} to {monday + timedelta(days=6):%-d %b %Y}"
    return line[1]


def _filters(line: Line, period: Period) -> CandidateFilters:
    """Return the filters of the list that has the candidates of a line."""
    by, name = line
    if by is By.WEEK:
        period = period.week(date.fromisoformat(name))
    filters = CandidateFilters(
        step=Step.INVITED.value, since=period.first.isoformat(), until=period.last.isoformat()
    )
    return filters if by in {None, By.WEEK} else replace(filters, **{by.value: name})
