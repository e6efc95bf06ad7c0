"""Fourteen days in three pictures: invitations, outcomes, and how long an invitation took; drawn by the server."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median

from django.db.models import Count, Q
from django.utils import timezone

from integrations.models import Delivery, Invitation, Organization, Result

DAYS = 14
MOST_TIMED = 2000  # the newest; a median of more says nothing else
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 400, 170, 46, 10, 12, 24
GAP = 0.25  # of a day's width

OUTCOMES = (
    ("passed", Result.Outcome.PASSED.value, "Passed"),
    ("failed", Result.Outcome.FAILED.value, "Failed"),
    ("expired", Result.Outcome.EXPIRED.value, "Expired"),
    ("unstated", "", "Result not stated"),
)


@dataclass(frozen=True)
class Bar:
    """One rectangle, in the picture's own units."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    says: str


@dataclass(frozen=True)
class Line:
    """One line of the scale, with what it stands for."""

    y: float
    label: str


@dataclass(frozen=True)
class Picture:
    """One picture with the same in words and as a table."""

    code: str
    title: str
    summary: str
    legend: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    scale: tuple[Line, ...]
    days: tuple[tuple[float, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]

    width = WIDTH
    height = HEIGHT
    left = LEFT
    label_y = HEIGHT - 6


def pictures(organization: Organization) -> list[Picture]:
    """Return the pictures of the reader's last fourteen days, today included; three queries."""
    today = timezone.localdate()
    days = [today - timedelta(days=number) for number in reversed(range(DAYS))]
    start = _midnight(days[0])
    return [
        _invitations(organization, days, start),
        _outcomes(organization, days, start),
        _waits(organization, days, start),
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_current_timezone())


def _invitations(organization: Organization, days: Sequence[date], start: datetime) -> Picture:
    # whoever was invited since changed since: that finds them by an index
    rows = Invitation.objects.filter(organization=organization, changed_at__gte=start)
    found = rows.aggregate(**_by_day("invited_at", days))
    counts = {day: {"invited": found[_key(day)]} for day in days}
    total = sum(number["invited"] for number in counts.values())
    return _stacked(
        "invitations",
        "Invitations by day",
        f"{total} in {DAYS} days",
        (("invited", "Invited"),),
        days,
        counts,
    )


def _outcomes(organization: Organization, days: Sequence[date], start: datetime) -> Picture:
    found = (
        Result.objects.filter(invitation__organization=organization, created_at__gte=start)
        .order_by()
        .values_list("outcome")
        .annotate(**_by_day("created_at", days))
    )
    kinds = {outcome: kind for kind, outcome, _ in OUTCOMES}
    counts: dict[date, dict[str, int]] = defaultdict(dict)
    totals: Counter[str] = Counter()
    for outcome, *numbers in found:
        for day, number in zip(days, numbers, strict=True):
            counts[day][kinds[outcome]] = number
        totals[kinds[outcome]] += sum(numbers)
    legend = tuple((kind, label) for kind, _, label in OUTCOMES if totals[kind]) or (("passed", "Passed"),)
    words = ", ".join(f"{totals[kind]} {label.lower()}" for kind, label in legend if totals[kind])
    summary = f"{words} in {DAYS} days" if words else f"None in {DAYS} days"
    return _stacked("outcomes", "Outcomes by day", summary, legend, days, counts)


def _key(day: date) -> str:
    return f"on_{day:%Y%m%d}"


def _by_day(column: str, days: Sequence[date]) -> dict[str, Count]:
    """Return a count for each day by its bounds: a database may not know the reader's zone, and takes ten times as long
    to cut every row's time down to its day.
    """
    found = {}
    for day in days:
        bounds = {f"{column}__gte": _midnight(day), f"{column}__lt": _midnight(day + timedelta(days=1))}
        within = Q(**bounds)
        found[_key(day)] = Count("pk", filter=within)
    return found


def _waits(organization: Organization, days: Sequence[date], start: datetime) -> Picture:
    found = (
        Delivery.objects.filter(
            organization=organization,
            verdict=Delivery.Verdict.INVITE,
            received_at__gte=start,
            invitation__invited_at__gte=start,
        )
        .order_by("-received_at")
        .values_list("received_at", "invitation__invited_at")[:MOST_TIMED]
    )
    seconds: dict[date, list[float]] = defaultdict(list)
    for received_at, invited_at in found:
        if invited_at is not None:
            seconds[timezone.localtime(invited_at).date()].append((invited_at - received_at).total_seconds())
    medians = {day: max(0.0, median(values)) for day, values in seconds.items()}
    overall = [value for values in seconds.values() for value in values]
    summary = f"Median {spoken(max(0.0, median(overall)))}" if overall else f"None sent in {DAYS} days"
    top = max(medians.values(), default=1.0) or 1.0
    bars = tuple(
        _bar("wait", index, 0, medians[day], top, f"{spoken(medians[day])} on {_named(day)}")
        for index, day in enumerate(days)
        if day in medians
    )
    return Picture(
        "waits",
        "From stage change to invitation",
        summary,
        (("wait", "Median by day"),),
        bars,
        (Line(TOP, spoken(top)), Line(HEIGHT - BOTTOM, "0")),
        tuple(_day_labels(days)),
        ("Median", "Invitations"),
        tuple(
            (
                _named(day),
                (spoken(medians[day]), str(len(seconds[day]))) if day in medians else ("—", "0"),
            )
            for day in days
        ),
    )


def _stacked(
    code: str,
    title: str,
    summary: str,
    legend: tuple[tuple[str, str], ...],
    days: Sequence[date],
    counts: Mapping[date, Mapping[str, int]],
) -> Picture:
    top = max((sum(row.values()) for row in counts.values()), default=0) or 1
    bars = []
    for index, day in enumerate(days):
        below = 0
        for kind, label in legend:
            number = counts.get(day, {}).get(kind, 0)
            if number:
                bars.append(
                    _bar(kind, index, below, number, top, f"{number} {label.lower()} on {_named(day)}")
                )
                below += number
    return Picture(
        code,
        title,
        summary,
        legend,
        tuple(bars),
        (Line(TOP, str(top)), Line(HEIGHT - BOTTOM, "0")),
        tuple(_day_labels(days)),
        tuple(label for _, label in legend),
        tuple(
            (_named(day), tuple(str(counts.get(day, {}).get(kind, 0)) for kind, _ in legend)) for day in days
        ),
    )


def _bar(kind: str, index: int, below: float, value: float, top: float, says: str) -> Bar:
    day = (WIDTH - LEFT - RIGHT) / DAYS
    room = HEIGHT - TOP - BOTTOM
    height = max(2.0, value / top * room)
    y = HEIGHT - BOTTOM - below / top * room - height
    return Bar(
        kind,
        round(LEFT + index * day + day * GAP / 2, 1),
        round(max(float(TOP), y), 1),
        round(day * (1 - GAP), 1),
        round(height, 1),
        says,
    )


def _day_labels(days: Sequence[date]) -> Iterator[tuple[float, str]]:
    day = (WIDTH - LEFT - RIGHT) / DAYS
    for index, moment in enumerate(days):
        if (DAYS - 1 - index) % 4 == 0:
            yield round(LEFT + (index + 0.5) * day, 1), f"{moment:%-d %b}"


def _named(day: date) -> str:
    return f"{day:%-d %B}"


def spoken(seconds: float) -> str:
    """Return a span as people say it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86400:.0f} days"
