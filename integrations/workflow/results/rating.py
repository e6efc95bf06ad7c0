"""The rating of a result in Lever: from the score, by the organization's thresholds."""

from integrations.codescreen.payloads import Progress
from integrations.vocabulary import ResultOutcome

#: Failure reasons, in lower case, that rate 1 where CodeScreen states no score.
WORST_FAILURE_REASONS = frozenset({"expired", "build failure", "build timeout"})


def rate(progress: Progress, thresholds: tuple[int, int, int]) -> int | None:
    """Return the rating of a result, 1 to 4: one more for each threshold that the score reaches.

    Without a score an expired assessment or one that didn't build rates 1; None for any other.
    """
    if progress.score is not None:
        return 1 + sum(progress.score >= threshold for threshold in thresholds)
    is_worst = (
        progress.outcome == ResultOutcome.EXPIRED
        or progress.failure_reason.casefold() in WORST_FAILURE_REASONS
    )
    return 1 if is_worst else None
