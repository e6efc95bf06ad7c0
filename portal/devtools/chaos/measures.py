"""Figures computed from the times at which webhooks were accepted and work was finished."""

import statistics
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.devtools.chaos.fault_injector import Interruption


@dataclass(frozen=True)
class RedisTurn:
    """A while with Redis, then as long without it: when the first began, the second began, and it ended."""

    began: float
    closed: float
    reopened: float


def percentiles(seconds: Iterable[float]) -> dict[int, float]:
    """Return the time within which 50, 99 and 100 percent were answered."""
    ordered = sorted(seconds) or [0.0]
    return {share: ordered[(len(ordered) - 1) * share // 100] for share in (50, 99, 100)}


def rate_during_outages(turns: Iterable[RedisTurn], accepted_at: Sequence[float]) -> float | None:
    """Return the rate of acceptances without Redis over that with it, the median of all turns; None without turns."""
    ratios = []
    for turn in turns:
        with_redis = _count_between(accepted_at, turn.began, turn.closed) / (turn.closed - turn.began)
        without = _count_between(accepted_at, turn.closed, turn.reopened) / (turn.reopened - turn.closed)
        ratios.append(without / max(with_redis, 1e-9))
    return statistics.median(ratios) if ratios else None


def _count_between(ordered: Sequence[float], begin: float, end: float) -> int:
    return bisect_left(ordered, end) - bisect_left(ordered, begin)


def recovery_times(interruptions: Iterable[Interruption], ordered: Sequence[float]) -> list[float]:
    """Return the seconds from each return of the database or Redis to the next moment in an ordered list."""
    recoveries = []
    for interruption in interruptions:
        index = bisect_left(ordered, interruption.over_at)
        if interruption.over_at and index < len(ordered):
            recoveries.append(ordered[index] - interruption.over_at)
    return recoveries
