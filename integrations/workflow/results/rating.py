"""The rating of a result in Lever: from the score, never against the result that CodeScreen states."""

from integrations.codescreen.payloads import Progress
from integrations.models import Organization
from integrations.vocabulary import ResultOutcome

#: With the policy `rating_follows_result`, the highest rating of a stated Failed and the lowest of a stated Passed.
HIGHEST_OF_FAILED, LOWEST_OF_PASSED = 2, 3


def rate(progress: Progress, thresholds: tuple[int, int, int], *, follows_result: bool) -> int | None:
    """Return the rating of a result, 1 to 4: one more for each threshold that the score reaches.

    Where it `follows_result`, a stated Failed or Passed bounds it. None without a score, whatever else is stated.
    """
    if progress.score is None:
        return None
    rating = 1 + sum(progress.score >= threshold for threshold in thresholds)
    if follows_result and progress.outcome == ResultOutcome.FAILED:
        return min(rating, HIGHEST_OF_FAILED)
    if follows_result and progress.outcome == ResultOutcome.PASSED:
        return max(rating, LOWEST_OF_PASSED)
    return rating


def rating_of(progress: Progress, organization: Organization) -> int | None:
    """Return the rating of a result by the organization's policies."""
    return rate(progress, organization.rating_thresholds, follows_result=organization.rating_follows_result)
