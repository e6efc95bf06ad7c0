"""The figures of a period as they were counted a moment ago. The cache holds them as JSON."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import redis
from django.core.cache import cache
from django.utils import timezone

from integrations.models import Organization
from integrations.pages.reports.figures import Figures, SavedWork, Summary, saved_work, summary
from integrations.pages.reports.period import Period

#: So long the figures of a period are shown again without counting anew, which takes a while with many invitations.
COUNTED_FOR = timedelta(minutes=5)


def counted_summary(organization: Organization, period: Period) -> Summary:
    """Return the figures of the invitations sent in the period, at most COUNTED_FOR old."""
    return _counted("summary", summary, _summary_as_json, _summary_of, organization, period)


def counted_work(organization: Organization, period: Period) -> list[SavedWork]:
    """Return what the portal did in the period that a person would have done, at most COUNTED_FOR old."""
    return _counted("saved", saved_work, _work_as_json, _work_of, organization, period)


def _counted[Counted](
    what: str,
    count: Callable[[Organization, Period], Counted],
    as_json: Callable[[Counted], object],
    of_json: Callable[[Any], Counted],
    organization: Organization,
    period: Period,
) -> Counted:
    zone = timezone.get_current_timezone_name()
    key = f"report:{what}:{organization.pk}:{period.first}:{period.last}:{zone}"
    try:
        stored = cache.get(key)
    except redis.RedisError:
        return count(organization, period)
    # what the portal didn't write, or another release did, is counted anew
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        return of_json(stored)
    counted = count(organization, period)
    with suppress(redis.RedisError):
        cache.set(key, as_json(counted), COUNTED_FOR.total_seconds())
    return counted


def _summary_as_json(counted: Summary) -> object:
    return {
        "total": asdict(counted.total),
        "roles": [[name, asdict(figures)] for name, figures in counted.roles],
        "assessments": [[name, asdict(figures)] for name, figures in counted.assessments],
        "months": [[month.isoformat(), asdict(figures)] for month, figures in counted.months],
    }


def _summary_of(stored: Any) -> Summary:
    return Summary(
        Figures(**stored["total"]),
        [(str(name), Figures(**figures)) for name, figures in stored["roles"]],
        [(str(name), Figures(**figures)) for name, figures in stored["assessments"]],
        [(date.fromisoformat(month), Figures(**figures)) for month, figures in stored["months"]],
    )


def _work_as_json(counted: list[SavedWork]) -> object:
    return [asdict(work) for work in counted]


def _work_of(stored: Any) -> list[SavedWork]:
    return [SavedWork(**work) for work in stored]
