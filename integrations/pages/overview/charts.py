"""The last fourteen days as three charts: invitations, outcomes, and the time from stage change to invitation."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from statistics import median

from django.db.models import Count, Q
from django.utils import timezone

from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.pages.access import visible
from integrations.pages.chart import Chart, bar, day_columns, day_name, grid, labels, stacked_chart
from integrations.pages.days import duration, midnight
from integrations.pages.overview.counts import waits

DAYS = 14

#: The outcomes in the order of the legend: CSS class, value, label.
OUTCOMES = (
    ("passed", Result.Outcome.PASSED.value, "Passed"),
    ("failed", Result.Outcome.FAILED.value, "Failed"),
    ("expired", Result.Outcome.EXPIRED.value, "Expired"),
    ("unstated", "", "Result not stated"),
)


def charts(member: Membership) -> list[Chart]:
    """Return the charts of the last fourteen days in the reader's time zone, today included; three queries.

    They count the candidates that the member sees.
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
        f"{total} sent",
        (("invited", "Invited"),),
        day_columns(days),
        counts,
    )


def _outcomes(member: Membership, days: Sequence[date]) -> Chart:
    results = Result.objects.of_latest_attempts().filter(
        organization=member.organization_id, created_at__gte=midnight(days[0])
    )
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
    return stacked_chart("outcomes", "Outcomes by day", summary, legend, day_columns(days), counts)


def _delays(member: Membership, days: Sequence[date]) -> Chart:
    seconds: dict[date, list[float]] = defaultdict(list)
    for wait in waits(member, midnight(days[0])):
        seconds[timezone.localtime(wait.invited_at).date()].append(wait.seconds)
    medians = {day: median(values) for day, values in seconds.items()}
    overall = [value for values in seconds.values() for value in values]
    top = max(medians.values(), default=1.0) or 1.0
    return Chart(
        "delays",
        "Time to invitation",
        f"Median {duration(median(overall))}" if overall else "None sent",
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
