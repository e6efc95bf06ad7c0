"""The report of a period: what became of those invited, by role, assessment, origin or week; and as CSV."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Self

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.generic import TemplateView

from integrations.core.vocabulary import LabelledEnum, Origin
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation, InvitationQuerySet
from integrations.members.models.membership import TEAM
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.candidate_filters import (
    NONE,
    Became,
    CandidateFilters,
    Figure,
    Journey,
    Step,
)
from integrations.pages.activity.candidate_search import role_titles
from integrations.pages.times import Times, midnight, parse_day
from integrations.pages.views import ListExport

DEFAULT_DAYS = 90
#: A longer period would have to read too many rows while somebody waits.
MOST_DAYS = 366


@dataclass(frozen=True)
class Period:
    """Whole days, the first and the last included."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        return midnight(self.first)

    @property
    def ends(self) -> datetime:
        return midnight(self.last + timedelta(days=1))

    def week(self, monday: date) -> Self:
        """Return the days of a week that are in the period."""
        return type(self)(max(monday, self.first), min(monday + timedelta(days=6), self.last))


def asked_period(parameters: Mapping[str, str]) -> Period:
    """Return the period from `since` to `until`, without them the last DEFAULT_DAYS days.

    A day that can't be read counts as not stated. The period ends today at the latest, and has at most MOST_DAYS days.
    """
    today = timezone.localdate()
    since, until = parse_day(parameters.get("since", "")), parse_day(parameters.get("until", ""))
    last = min(until, today) if until and until > date.min + timedelta(days=MOST_DAYS) else today
    first = min(since or last - timedelta(days=DEFAULT_DAYS - 1), last)
    return Period(max(first, last - timedelta(days=MOST_DAYS - 1)), last)


class By(LabelledEnum):
    """What the table's lines are of. All but the week are filters of the list of candidates."""

    ROLE = "role", "Role"
    ASSESSMENT = "assessment", "Assessment"
    ORIGIN = "origin", "Origin"
    WEEK = "week", "Week"


def asked_by(parameters: Mapping[str, str]) -> By:
    """Return what the table's lines are of; the role where nothing that exists is asked for."""
    return next((by for by in By if by.value == parameters.get("by")), By.ROLE)


#: A line by its name: a role, an assessment, an origin or a week's Monday, or NONE. Without a name: all.
type Line = tuple[By | None, str]
ALL: Line = (None, "")


@dataclass
class Figures:
    """How many candidates became what, and how many seconds they took from the invitation to start and result."""

    counts: Counter[Became] = field(default_factory=Counter)
    to_start: list[float] = field(default_factory=list)
    to_result: list[float] = field(default_factory=list)

    def add_times(self, journey: Journey) -> None:
        if journey.started_at:
            self.to_start.append((journey.started_at - journey.invited_at).total_seconds())
        if journey.begun_at and journey.completed_at:
            self.to_result.append((journey.completed_at - journey.invited_at).total_seconds())

    @property
    def times(self) -> dict[str, Times | None]:
        """How long they took to the start, and to the result, by what the page calls it."""
        return {"Time to start": Times.of(self.to_start), "Time to result": Times.of(self.to_result)}

    @property
    def pass_percent(self) -> int | None:
        """How many in a hundred passed of those whose result CodeScreen stated; None when it stated none."""
        passed = self.counts[Became.PASSED]
        stated = passed + self.counts[Became.FAILED] + self.counts[Became.EXPIRED]
        return round(100 * passed / stated) if stated else None


def report_of(organization: Organization, period: Period) -> dict[Line, Figures]:
    """Return the figures of all invited in the period, and of each line of each kind; three queries.

    A candidate counts once in each line. Nothing is counted of an opportunity that isn't among the candidates: the list
    doesn't have it either.
    """
    sent = Invitation.objects.filter(
        organization=organization,
        invited_at__gte=period.begins,
        invited_at__lt=period.ends,
        # whatever was sent since then also changed since then, and changed_at has an index
        changed_at__gte=period.begins,
    )
    report: defaultdict[Line, Figures] = defaultdict(Figures)
    lines_of = _lines_of(organization, sent)
    for opportunity_id, journeys in groupby(_journeys(sent), key=attrgetter("opportunity_id")):
        if opportunity_id not in lines_of:
            continue
        reached: defaultdict[Line, set[Became]] = defaultdict(set)
        for journey in journeys:
            for line in (*lines_of[opportunity_id], *_lines_of_journey(journey)):
                reached[line] |= set(journey.became())
                report[line].add_times(journey)
        for line, became in reached.items():
            report[line].counts.update(became)
    return report


def _journeys(sent: InvitationQuerySet) -> Iterator[Journey]:
    """Yield the journeys of these invitations, those of one candidate one after another."""
    columns = [one.name for one in fields(Journey)]
    rows = sent.with_steps().order_by("opportunity_id").values_list(*columns)
    return (Journey(*row) for row in rows.iterator(chunk_size=2_000))


def _lines_of(organization: Organization, sent: InvitationQuerySet) -> dict[str, tuple[Line, ...]]:
    """Return the lines that each candidate counts in, whatever the invitation, by the opportunity's id."""
    titles = role_titles(organization)
    candidates = Candidate.objects.filter(
        organization=organization, opportunity_id__in=sent.values("opportunity_id")
    )
    rows = candidates.order_by().values_list("opportunity_id", "role_id", "role_title", "origin")
    return {
        opportunity_id: (
            ALL,
            (By.ROLE, titles.get(role_id, role_title) or NONE),
            (By.ORIGIN, origin or NONE),
        )
        for opportunity_id, role_id, role_title, origin in rows
    }


def _lines_of_journey(journey: Journey) -> tuple[Line, Line]:
    day = timezone.localdate(journey.invited_at)
    monday = day - timedelta(days=day.weekday())
    return (By.ASSESSMENT, journey.assessment_name), (By.WEEK, monday.isoformat())


COLUMNS = (
    *(became.label.lower() for became in Became),
    "median hours to start",
    "hours to start for 95 %",
    "median hours to result",
    "hours to result for 95 %",
)


@dataclass(frozen=True)
class Row:
    """What a line of the table is called, its counts, and how long it took to the start and to the result."""

    name: str
    figures: list[Figure]
    times: dict[str, Times | None]


class ReportView(OrganizationMixin, TemplateView):
    """Show the report of the period in the address, in one table by what the address asks for."""

    template_name = "integrations/report.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        period, by = asked_period(self.request.GET.dict()), asked_by(self.request.GET.dict())
        report = report_of(self.organization, period)
        total = report.get(ALL, Figures())
        return super().get_context_data(
            period=period,
            days={"since": period.first.isoformat(), "until": period.last.isoformat()},
            total=_row(ALL, total, period),
            pass_percent=total.pass_percent,
            unstated=total.counts[Became.NOT_STATED],
            by=by,
            choices=By.choices(),
            rows=[_row(line, report[line], period) for line in _in_order(by, report)],
            **kwargs,
        )


class ReportExportView(ListExport):
    """The same table as CSV."""

    allowed_roles = TEAM
    list_name = "report"
    list_page = "report"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        period, by = asked_period(self.request.GET.dict()), asked_by(self.request.GET.dict())
        filename = f"report-by-{by.value}-{self.organization.slug}-{period.first}-{period.last}.csv"
        return self.file(filename, (by.value, *COLUMNS), _cells(by, report_of(self.organization, period)))


def _cells(by: By, report: dict[Line, Figures]) -> Iterator[tuple[object, ...]]:
    for line in _in_order(by, report):
        figures = report[line]
        seconds = [(one.median, one.most) if one else (None, None) for one in figures.times.values()]
        hours = [None if one is None else f"{one / 3600:.1f}" for pair in seconds for one in pair]
        yield _title(line), *(figures.counts[became] for became in Became), *hours


def _in_order(by: By, report: dict[Line, Figures]) -> list[Line]:
    """Return the table's lines: the latest week first, else those with the most candidates."""
    lines = sorted((line for line in report if line[0] is by), reverse=by is By.WEEK)
    return lines if by is By.WEEK else sorted(lines, key=lambda line: -report[line].counts[Became.SENT])


def _row(line: Line, figures: Figures, period: Period) -> Row:
    filters = _filters(line, period)
    shown = [replace(filters, became=one.value).figure(one.label, figures.counts[one]) for one in Became]
    return Row(_title(line), shown, figures.times)


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
