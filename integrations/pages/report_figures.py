"""What a report counts, by role and assessment, and the period that it is of."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

import redis
from django.core.cache import cache
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from integrations.core.invitation_status import FollowingEnd
from integrations.core.vocabulary import ResultOutcome
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.pages.times import midnight, parse_day

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
        """When its first day begins."""
        return midnight(self.first)

    @property
    def ends(self) -> datetime:
        """When its last day is over."""
        return midnight(self.last + timedelta(days=1))

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


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


_OUTCOMES: dict[str, str] = {outcome.value: outcome.code for outcome in ResultOutcome} | {"": "unstated"}
#: So long the figures of a period are shown again without counting anew, which takes a while with many invitations.
COUNTED_FOR = timedelta(minutes=5)


@dataclass(frozen=True)
class Figures:
    """What became of a number of invitations. Times are sums in seconds; each has the number of invitations in it.

    `started` also counts those where CodeScreen told only that they finished, `timed` those with a time of the start.
    `no_shows`: those who never started, whether CodeScreen says Expired or the portal stopped asking.
    """

    sent: int = 0
    started: int = 0
    completed: int = 0
    passed: int = 0
    failed: int = 0
    expired: int = 0
    unstated: int = 0
    no_shows: int = 0
    timed: int = 0
    start_seconds: float = 0.0
    finish_seconds: float = 0.0
    finished: int = 0

    def __add__(self, other: Self) -> Self:
        """Return the sum of each figure of both."""
        others = vars(other)
        return type(self)(**{name: count + others[name] for name, count in vars(self).items()})

    @property
    def pass_percent(self) -> int | None:
        """How many in a hundred passed of those whose result CodeScreen stated; None when it stated none."""
        stated = self.passed + self.failed + self.expired
        return round(100 * self.passed / stated) if stated else None

    @property
    def seconds_to_start(self) -> float | None:
        """The mean time from invitation to start; None when nobody's start is known to the moment."""
        return self.start_seconds / self.timed if self.timed else None

    @property
    def seconds_to_finish(self) -> float | None:
        """The mean time from start to result; None when nobody got one."""
        return self.finish_seconds / self.finished if self.finished else None


#: Figures by role, assessment and the first day of a month.
type Lines = dict[tuple[str, str, date], Figures]


@dataclass(frozen=True)
class Report:
    """The figures of a period together, by role, by assessment and by month, each in the order of its names.

    A month is its first day.
    """

    total: Figures
    roles: list[tuple[str, Figures]]
    assessments: list[tuple[str, Figures]]
    months: list[tuple[date, Figures]]


def report_lines(organization: Organization, period: Period) -> Lines:
    """Return the figures of the invitations sent in the period; one query."""
    # created_at has an index; an invitation may have waited for an approval before it was sent
    sent = Invitation.objects.filter(
        organization=organization,
        created_at__gte=period.begins,
        created_at__lt=period.ends,
        invited_at__isnull=False,
    )
    counted = (
        sent.order_by()
        .with_steps()
        .annotate(month=TruncMonth("created_at"))
        .values("role_title", "assessment_name", "month", "outcome")
        .annotate(
            sent=Count("pk"),
            started=Count("begun_at"),
            timed=Count("started_at"),
            completed=Count("completed_at"),
            finished=Count("pk", filter=Q(started_at__isnull=False, completed_at__isnull=False)),
            given_up=Count("pk", filter=Q(following_ended=FollowingEnd.NOT_STARTED)),
            to_start=Sum(F("started_at") - F("invited_at")),
            to_finish=Sum(F("completed_at") - F("started_at")),
        )
    )
    figures: Lines = {}
    for row in counted:
        place = row["role_title"], row["assessment_name"], row["month"].date()
        figures[place] = figures.get(place, Figures()) + _figures(row)
    return figures


def _figures(row: Mapping[str, Any]) -> Figures:
    """Return the figures of the invitations whose latest attempt has one outcome; None where there is no attempt."""
    outcome, number = row["outcome"], row["sent"]
    never_started = number - row["started"] if outcome == ResultOutcome.EXPIRED else 0
    stated = {} if outcome is None else {_OUTCOMES[outcome]: number}
    return Figures(
        sent=number,
        started=row["started"],
        timed=row["timed"],
        completed=row["completed"],
        no_shows=row["given_up"] + never_started,
        start_seconds=_seconds(row["to_start"]),
        finish_seconds=_seconds(row["to_finish"]),
        finished=row["finished"],
        **stated,
    )


def _seconds(duration: timedelta | None) -> float:
    return max(0.0, duration.total_seconds()) if duration else 0.0


def report_of(organization: Organization, period: Period) -> Report:
    """Return the report of the period; one query."""
    lines = report_lines(organization, period)
    return Report(
        sum(lines.values(), Figures()),
        _grouped((role, figures) for (role, _, _), figures in lines.items()),
        _grouped((assessment, figures) for (_, assessment, _), figures in lines.items()),
        _grouped((month, figures) for (_, _, month), figures in lines.items()),
    )


def _grouped[Key: (str, date)](lines: Iterable[tuple[Key, Figures]]) -> list[tuple[Key, Figures]]:
    groups: dict[Key, Figures] = {}
    for key, figures in lines:
        groups[key] = groups.get(key, Figures()) + figures
    return sorted(groups.items(), key=lambda group: group[0])


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
        cache.set(key, _report_as_json(counted), COUNTED_FOR.total_seconds())
    return counted


def _report_as_json(report: Report) -> dict[str, Any]:
    months = [(month.isoformat(), asdict(figures)) for month, figures in report.months]
    return asdict(report) | {"months": months}


def _report_of_json(stored: Any) -> Report:
    return Report(
        Figures(**stored["total"]),
        [(str(name), Figures(**figures)) for name, figures in stored["roles"]],
        [(str(name), Figures(**figures)) for name, figures in stored["assessments"]],
        [(date.fromisoformat(month), Figures(**figures)) for month, figures in stored["months"]],
    )
