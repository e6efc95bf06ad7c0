"""The figures of a report: counted by the database, for each role, assessment and month at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.db.models.functions import TruncMonth

from integrations.models import Effect, Invitation, Organization, Result
from integrations.pages.reports.period import Period
from integrations.pages.sums import Summable
from integrations.vocabulary import FollowingEnd, ResultOutcome

#: What a person would have done in Lever or CodeScreen by hand, and the minutes that each takes.
BY_HAND: dict[Effect.Kind, tuple[str, int]] = {
    Effect.Kind.SEND_INVITATION: ("Invitations sent", 3),
    Effect.Kind.SET_PROGRESS_TAG: ("Progress tags set", 1),
    Effect.Kind.SET_RESULT_TAG: ("Result tags set", 1),
    Effect.Kind.WRITE_FEEDBACK: ("Feedback forms written", 4),
    Effect.Kind.ADD_REPORT_LINK: ("Report links added", 1),
    Effect.Kind.LEAVE_NOTE: ("Notes left", 2),
    Effect.Kind.MOVE_STAGE: ("Candidates moved on", 1),
}


@dataclass(frozen=True)
class Figures(Summable):
    """What became of a number of invitations. Times are sums in seconds; each has the number of invitations in it.

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
    start_seconds: float = 0.0
    finish_seconds: float = 0.0
    finished: int = 0

    @property
    def pass_percent(self) -> int | None:
        """How many in a hundred passed of those whose result CodeScreen stated; None when it stated none."""
        stated = self.passed + self.failed + self.expired
        return round(100 * self.passed / stated) if stated else None

    @property
    def seconds_to_start(self) -> float | None:
        """The mean time from invitation to start; None when nobody started."""
        return self.start_seconds / self.started if self.started else None

    @property
    def seconds_to_finish(self) -> float | None:
        """The mean time from start to result; None when nobody got one."""
        return self.finish_seconds / self.finished if self.finished else None


@dataclass(frozen=True)
class Line:
    """The figures of one role, one assessment and one month."""

    role: str
    assessment: str
    month: date
    figures: Figures


@dataclass(frozen=True)
class SavedWork:
    """How often the portal did one thing that a person would have done by hand, and the minutes that takes."""

    label: str
    count: int
    minutes: int


_OUTCOMES = {
    ResultOutcome.PASSED.value: "passed",
    ResultOutcome.FAILED.value: "failed",
    ResultOutcome.EXPIRED.value: "expired",
    "": "unstated",
}


def report_lines(organization: Organization, period: Period) -> list[Line]:
    """Return the figures of the invitations sent in the period, by role, assessment and month; two queries."""
    # created_at has an index; an invitation may have waited for an approval before it was sent
    sent = Invitation.objects.filter(
        organization=organization,
        created_at__gte=period.begins,
        created_at__lt=period.ends,
        invited_at__isnull=False,
    ).order_by()
    keys = ("role_title", "assessment_name", "month")
    figures: dict[tuple[str, str, date], Figures] = {}
    for *key, count, started, completed, finished, no_shows, to_start, to_finish in (
        sent.annotate(month=TruncMonth("created_at"))
        .values_list(*keys)
        .annotate(
            count=Count("pk"),
            started=Count("started_at"),
            completed=Count("completed_at"),
            finished=Count("pk", filter=Q(started_at__isnull=False, completed_at__isnull=False)),
            no_shows=Count("pk", filter=Q(following_ended=FollowingEnd.NOT_STARTED)),
            to_start=Sum(F("started_at") - F("invited_at")),
            to_finish=Sum(F("completed_at") - F("started_at")),
        )
    ):
        figures[_key(*key)] = Figures(
            sent=count,
            started=started,
            completed=completed,
            no_shows=no_shows,
            start_seconds=_seconds(to_start),
            finish_seconds=_seconds(to_finish),
            finished=finished,
        )
    later_attempt = Result.objects.filter(invitation=OuterRef("invitation"), attempt__gt=OuterRef("attempt"))
    results = Result.objects.filter(~Exists(later_attempt), invitation__in=sent.values("pk")).order_by()
    for *key, outcome, count, never_started in (
        results.annotate(month=TruncMonth("invitation__created_at"))
        .values_list("invitation__role_title", "invitation__assessment_name", "month", "outcome")
        .annotate(count=Count("pk"), never_started=Count("pk", filter=Q(invitation__started_at=None)))
    ):
        place = _key(*key)
        no_shows = never_started if outcome == ResultOutcome.EXPIRED else 0
        stated = Figures(**{_OUTCOMES[outcome]: count}, no_shows=no_shows)
        figures[place] = figures.get(place, Figures()) + stated
    return [Line(*place, figures[place]) for place in sorted(figures)]


def saved_work(organization: Organization, period: Period) -> list[SavedWork]:
    """Return what the portal did in the period that a person would have done by hand; one query."""
    done = Effect.objects.filter(
        organization=organization,
        created_at__gte=period.begins,
        created_at__lt=period.ends,
        state=Effect.State.DONE,
        kind__in=list(BY_HAND),
    )
    counts = dict(done.order_by().values_list("kind").annotate(count=Count("pk")))
    return [
        SavedWork(label, counts[kind], counts[kind] * minutes)
        for kind, (label, minutes) in BY_HAND.items()
        if kind in counts
    ]


def total(lines: Iterable[Line]) -> Figures:
    """Return the figures of all lines together."""
    return sum((line.figures for line in lines), Figures())


def grouped[Key: (str, date)](
    lines: Iterable[Line], key_of: Callable[[Line], Key]
) -> list[tuple[Key, Figures]]:
    """Return the figures by what `key_of` returns of each line, in its order."""
    groups: dict[Key, Figures] = {}
    for line in lines:
        key = key_of(line)
        groups[key] = groups.get(key, Figures()) + line.figures
    return sorted(groups.items(), key=lambda group: group[0])


def _key(role: str, assessment: str, month: datetime) -> tuple[str, str, date]:
    return role, assessment, month.date()


def _seconds(duration: timedelta | None) -> float:
    return max(0.0, duration.total_seconds()) if duration else 0.0
