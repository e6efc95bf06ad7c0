"""The report of a period: what became of those invited, by role, assessment, source, owner and week; and as CSV."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.generic import TemplateView

from integrations.core.vocabulary import Origin, lower_first
from integrations.members.models.membership import TEAM, Membership
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.candidate_filters import NONE, CandidateFilters, Figure
from integrations.pages.activity.steps import Became, Step
from integrations.pages.report_figures import (
    COUNTED_FOR,
    PRESETS,
    By,
    Figures,
    Line,
    Period,
    Report,
    asked_period,
    counted_report,
)
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
        period, correction = asked_period(self.request.GET.dict())
        report = counted_report(self.organization, period)
        return super().get_context_data(
            period=period,
            correction=correction,
            presets=_presets(period),
            total=_row("", report.total, _filters(Line(), period)),
            pass_percent=report.total.pass_percent,
            unstated=report.total.count(Became.NOT_STATED),
            tables=[Table(by, _rows(by, report, period)) for by in By],
            knows_owners=Membership.objects.using_people(self.organization.pk).exists(),
            counted_for=int(COUNTED_FOR.total_seconds() // 60),
            **kwargs,
        )


class ReportExportView(ListExport):
    """The same as CSV: each line of each table."""

    allowed_roles = TEAM
    list_name = "report"

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        period, _ = asked_period(self.request.GET.dict())
        filename = f"report-{self.organization.slug}-{period.first}-{period.last}.csv"
        lines = list(_cells(counted_report(self.organization, period)))
        return self.file(filename, COLUMNS, iter(lines), len(lines))


def _cells(report: Report) -> Iterator[tuple[object, ...]]:
    for by in By:
        for name in _in_order(by, report):
            figures = report.tables[by][name]
            times = [
                (one.median, one.most) if one else (None, None)
                for one in (figures.to_start, figures.to_result)
            ]
            hours = [
                None if seconds is None else f"{seconds / 3600:.1f}" for pair in times for seconds in pair
            ]
            yield by.label, _title(by, name), *(figures.count(became) for became in Became), *hours


def _in_order(by: By, report: Report) -> list[str]:
    """Return the names of a table's lines: the latest week first, else those with the most candidates."""
    lines = report.tables[by]
    if by is By.WEEK:
        return sorted(lines, reverse=True)
    return sorted(lines, key=lambda name: (-lines[name].count(Became.SENT), name))


def _rows(by: By, report: Report, period: Period) -> list[Row]:
    return [
        _row(_title(by, name), report.tables[by][name], _filters(Line(by, name), period))
        for name in _in_order(by, report)
    ]


def _row(title: str, figures: Figures, filters: CandidateFilters) -> Row:
    shown = [
        replace(filters, became=became.value).figure(became.label, figures.count(became)) for became in Became
    ]
    return Row(title, shown, figures.to_start, figures.to_result)


def _title(by: By, name: str) -> str:
    match by:
        case _ if name == NONE:
            return "No role" if by is By.ROLE else "Not known"
        case By.ORIGIN:
            return Origin(name).label
        case By.WEEK:
            monday = date.fromisoformat(name)
            return f"{monday:%-d %b} to {monday + timedelta(days=6):%-d %b %Y}"
    return name


def _filters(line: Line, period: Period) -> CandidateFilters:
    """Return the filters of the list that has the candidates of a line."""
    if line.by is By.WEEK:
        period = period.week(date.fromisoformat(line.name))
    filters = CandidateFilters(
        step=Step.INVITED.value, since=period.first.isoformat(), until=period.last.isoformat()
    )
    return filters if line.by in {None, By.WEEK} else replace(filters, **{line.by.value: line.name})


def _presets(period: Period) -> list[tuple[str, Period, bool]]:
    """Return each period that one click chooses, with its label and whether it is shown."""
    today = timezone.localdate()
    presets = [(label, Period(today - timedelta(days=days - 1), today)) for days, label in PRESETS.items()]
    return [(label, preset, preset == period) for label, preset in presets]
