"""What a report counts, together and by role, assessment, source, owner and week; and the period that it is of."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, Self

import redis
from django.core.cache import cache
from django.utils import timezone

from integrations.core.vocabulary import LabelledEnum
from integrations.invitations.models.candidate import Candidate, OpportunityPerson, Relation
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.invitation_queries import InvitationQuerySet
from integrations.organizations.models.organization import Organization
from integrations.pages.activity.candidate_filters import NONE
from integrations.pages.activity.candidate_search import role_titles
from integrations.pages.activity.steps import Became, Journey
from integrations.pages.times import Times, midnight, parse_day

DEFAULT_DAYS = 90
#: A longer period would have to read too many rows while somebody waits.
MOST_DAYS = 366
#: The periods that one click chooses, by their days.
PRESETS = {30: "30 days", DEFAULT_DAYS: "90 days", 365: "12 months"}


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

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def week(self, monday: date) -> Self:
        """Return the days of a week that are in the period."""
        return type(self)(max(monday, self.first), min(monday + timedelta(days=6), self.last))


def asked_period(parameters: Mapping[str, str]) -> tuple[Period, str]:
    """Return the period from `since` to `until`, without them the last DEFAULT_DAYS days; and why it is another one.

    A day that can't be read counts as not stated. The period ends today at the latest, and has at most MOST_DAYS days.
    """
    today = timezone.localdate()
    since, until = parse_day(parameters.get("since", "")), parse_day(parameters.get("until", ""))
    last = min(until, today) if until and until > date.min + timedelta(days=MOST_DAYS) else today
    first = since or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        return Period(last, last), "The first day was after the last: this shows the last day alone."
    longest = last - timedelta(days=MOST_DAYS - 1)
    if first < longest:
        return Period(longest, last), f"A report covers at most {MOST_DAYS} days."
    return Period(first, last), ""


#: So long the figures of a period are shown again without counting anew, which takes a while with many invitations.
COUNTED_FOR = timedelta(minutes=5)


class By(LabelledEnum):
    """What the lines of a table are of. All but the week are filters of the list of candidates."""

    ROLE = "role", "Role"
    ASSESSMENT = "assessment", "Assessment"
    ORIGIN = "origin", "Origin"
    OWNER = "owner", "Owner in Lever"
    WEEK = "week", "Week"


class Line(NamedTuple):
    """A line of a table: a role, an assessment, an origin, an address or a week's Monday, or NONE; no table: all."""

    by: By | None = None
    name: str = ""


@dataclass(frozen=True)
class Figures:
    """How many candidates became what, and how long they took from the invitation to the start and to the result."""

    counts: Mapping[str, int]
    to_start: Times | None
    to_result: Times | None

    def count(self, became: Became) -> int:
        return self.counts.get(became, 0)

    @property
    def pass_percent(self) -> int | None:
        """How many in a hundred passed of those whose result CodeScreen stated; None when it stated none."""
        passed = self.count(Became.PASSED)
        stated = passed + self.count(Became.FAILED) + self.count(Became.EXPIRED)
        return round(100 * passed / stated) if stated else None


@dataclass(frozen=True)
class Report:
    """The figures of a period together, and those of each table's lines by their names, in no order."""

    total: Figures
    tables: Mapping[By, Mapping[str, Figures]]


def report_of(organization: Organization, period: Period) -> Report:
    """Return the report of the period; four queries.

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
    tallies: defaultdict[Line, _Tally] = defaultdict(_Tally)
    lines_of, zone = _lines_of(organization, sent), timezone.get_current_timezone()
    for opportunity_id, journeys in groupby(_journeys(sent), key=attrgetter("opportunity_id")):
        if opportunity_id not in lines_of:
            continue
        reached: defaultdict[Line, set[Became]] = defaultdict(set)
        for journey in journeys:
            became, lines = (
                set(journey.became()),
                (*lines_of[opportunity_id], *_lines_of_journey(journey, zone)),
            )
            for line in lines:
                reached[line] |= became
                tallies[line].add_times(journey)
        for line, became in reached.items():
            tallies[line].counts.update(became)
    figures = {
        line: Figures(dict(one.counts), Times.of(one.to_start), Times.of(one.to_result))
        for line, one in tallies.items()
    }
    total = figures.pop(Line(), Figures({}, None, None))
    return Report(
        total, {by: {line.name: one for line, one in figures.items() if line.by == by} for by in By}
    )


@dataclass(slots=True)
class _Tally:
    """What is added up of one line: how many candidates became what, and how many seconds each took."""

    counts: Counter[str] = field(default_factory=Counter)
    to_start: array[float] = field(default_factory=lambda: array("d"))
    to_result: array[float] = field(default_factory=lambda: array("d"))

    def add_times(self, journey: Journey) -> None:
        if journey.started_at:
            self.to_start.append((journey.started_at - journey.invited_at).total_seconds())
        if journey.begun_at and journey.completed_at:
            self.to_result.append((journey.completed_at - journey.invited_at).total_seconds())


def _journeys(sent: InvitationQuerySet) -> Iterator[Journey]:
    """Yield the journeys of these invitations, those of one candidate one after another."""
    columns = [one.name for one in fields(Journey)]
    rows = sent.with_steps().order_by("opportunity_id").values_list(*columns)
    return (Journey(*row) for row in rows.iterator(chunk_size=2_000))


def _lines_of(organization: Organization, sent: InvitationQuerySet) -> dict[str, Sequence[Line]]:
    """Return the lines that each candidate counts in, whatever the invitation, by the opportunity's id."""
    own = {"organization": organization, "opportunity_id__in": sent.values("opportunity_id")}
    titles = role_titles(organization)
    owners = dict(
        OpportunityPerson.objects.filter(**own, relation=Relation.OWNER).values_list(
            "opportunity_id", "email"
        )
    )
    candidates = Candidate.objects.filter(**own).order_by()
    rows = candidates.values_list("opportunity_id", "role_id", "role_title", "origin")
    return {
        opportunity_id: (
            Line(),
            Line(By.ROLE, titles.get(role_id, role_title) or NONE),
            Line(By.ORIGIN, origin or NONE),
            Line(By.OWNER, owners.get(opportunity_id, NONE)),
        )
        for opportunity_id, role_id, role_title, origin in rows.iterator(chunk_size=2_000)
    }


def _lines_of_journey(journey: Journey, zone: tzinfo) -> tuple[Line, Line]:
    day = journey.invited_at.astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    return Line(By.ASSESSMENT, journey.assessment_name), Line(By.WEEK, monday.isoformat())


def counted_report(organization: Organization, period: Period) -> Report:
    """Return the report of the period, at most COUNTED_FOR old."""
    zone = timezone.get_current_timezone_name()
    key = f"report:{organization.pk}:{period.first}:{period.last}:{zone}"
    try:
        stored = cache.get(key)
    except redis.RedisError:
        return report_of(organization, period)
    # what the portal didn't write, or another release did, is counted anew
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        return _report_of_json(stored)
    counted = report_of(organization, period)
    with suppress(redis.RedisError):
        cache.set(key, asdict(counted), COUNTED_FOR.total_seconds())
    return counted


def _report_of_json(stored: Any) -> Report:
    tables = {
        By(by): {str(name): _figures_of_json(one) for name, one in lines.items()}
        for by, lines in stored["tables"].items()
    }
    return Report(_figures_of_json(stored["total"]), tables)


def _figures_of_json(stored: Any) -> Figures:
    counts = {str(Became(code)): int(count) for code, count in stored["counts"].items()}
    return Figures(
        counts, *(Times(**stored[name]) if stored[name] else None for name in ("to_start", "to_result"))
    )
