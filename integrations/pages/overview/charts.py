"""The last fourteen days as three charts: invitations, outcomes, and the time from stage change to invitation."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from statistics import median

from django.db.models import Count, Q
from django.utils import timezone

from integrations.models import Delivery, Invitation, Membership, Result
from integrations.pages.chart import Chart, bar, day_columns, day_name, grid, labels, stacked_chart
from integrations.pages.days import midnight
from integrations.pages.visibility import visible

DAYS = 14
MAX_TIMED = 2000  # newest deliveries whose delay is read; more would hardly change the median

#: The outcomes in the order of the legend: CSS class, value, label.
OUTCOMES = (
    ("passed", Result.Outcome.PASSED.value, "Passed"),
    ("failed", Result.Outcome.FAILED.value, "Failed"),
    ("expired", Result.Outcome.EXPIRED.value, "Expired"),
    ("unstated", "", "Result not stated"),
)


def charts(member: Membership) -> list[Chart]:
    """Return the charts of the last fourteen days in the reader's time zone, today included; three queries.

    They count the candidates whom the member sees.
    """
    today = timezone.localdate()
    days = [today - timedelta(days=number) for number in reversed(range(DAYS))]
    return [
        _invitations(member, days),
        _outcomes(member, days),
        _delays(member, days),
    ]


def _invitations(member: Membership, days: Sequence[date]) -> Chart:
    # Whatever was invited since then also changed since then, and changed_at has an index.
    invitations = Invitation.objects.filter(
        organization=member.organization_id, changed_at__gte=midnight(days[0])
    )
    by_day = visible(invitations, member).aggregate(**_counts_by_day("invited_at", days))
    counts = [{"invited": by_day[_alias(day)]} for day in days]
    total = sum(by_day.values())
    return stacked_chart(
        "invitations",
        "Invitations by day",
        f"{total} in {DAYS} days",
        (("invited", "Invited"),),
        day_columns(days),
        counts,
    )


def _outcomes(member: Membership, days: Sequence[date]) -> Chart:
    results = Result.objects.filter(organization=member.organization_id, created_at__gte=midnight(days[0]))
    by_outcome = (
        visible(results, member, "invitation__opportunity_id")
        .order_by()
        .values_list("outcome")
        .annotate(**_counts_by_day("created_at", days))
    )
    kinds = {outcome: kind for kind, outcome, _ in OUTCOMES}
    counts: list[dict[str, int]] = [{} for _ in days]
    totals: Counter[str] = Counter()
    for outcome, *by_day in by_outcome:
        for by_kind, count in zip(counts, by_day, strict=True):
            by_kind[kinds[outcome]] = count
        totals[kinds[outcome]] += sum(by_day)
    legend = tuple((kind, label) for kind, _, label in OUTCOMES if totals[kind]) or (("passed", "Passed"),)
    summary = ", ".join(f"{totals[kind]} {label.lower()}" for kind, label in legend if totals[kind]) or "None"
    summary = f"{summary} in {DAYS} days"
    return stacked_chart("outcomes", "Outcomes by day", summary, legend, day_columns(days), counts)


def _delays(member: Membership, days: Sequence[date]) -> Chart:
    start = midnight(days[0])
    invited = Delivery.objects.filter(
        organization=member.organization_id,
        verdict=Delivery.VerdictCode.INVITE,
        received_at__gte=start,
        invitation__invited_at__gte=start,
    )
    times = (
        visible(invited, member)
        .order_by("-received_at")
        .values_list("received_at", "invitation__invited_at")[:MAX_TIMED]
    )
    seconds: dict[date, list[float]] = defaultdict(list)
    for received_at, invited_at in times:
        if invited_at is not None:
            seconds[timezone.localtime(invited_at).date()].append((invited_at - received_at).total_seconds())
    medians = {day: max(0.0, median(values)) for day, values in seconds.items()}
    overall = [value for values in seconds.values() for value in values]
    top = max(medians.values(), default=1.0) or 1.0
    return Chart(
        "delays",
        "From stage change to invitation",
        f"Median {duration(max(0.0, median(overall)))}" if overall else f"None sent in {DAYS} days",
        (("delay", "Median by day"),),
        tuple(
            bar("delay", index, DAYS, 0, medians[day], top, f"{duration(medians[day])} on {day_name(day)}")
            for index, day in enumerate(days)
            if day in medians
        ),
        grid(duration(top)),
        tuple(labels(day_columns(days))),
        ("Median", "Invitations"),
        tuple(
            (
                day_name(day),
                (duration(medians[day]), str(len(seconds[day]))) if day in medians else ("—", "0"),
            )
            for day in days
        ),
    )


def _alias(day: date) -> str:
    return f"on_{day:%Y%m%d}"


def _counts_by_day(column: str, days: Sequence[date]) -> dict[str, Count]:
    """Return one filtered count for each day, by the day's alias.

    Truncating each row's time to its day would need the reader's zone in the database, and takes ten times as long.
    """
    counts = {}
    for day in days:
        bounds = {f"{column}__gte": midnight(day), f"{column}__lt": midnight(day + timedelta(days=1))}
        counts[_alias(day)] = Count("pk", filter=Q(**bounds))
    return counts


def duration(seconds: float) -> str:
    """Return a duration in the largest unit that suits it, such as “10 min”."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86400:.0f} days"
