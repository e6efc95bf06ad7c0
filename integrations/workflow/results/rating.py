"""The rating of a result in Lever: from the score, by the organization's thresholds."""

from integrations.codescreen.payloads import Progress

#: Failure reasons that rate 1 where CodeScreen states no score.
RATED_ONE = {"expired", "build failure", "build timeout"}


def rate(progress: Progress, thresholds: tuple[int, int, int]) -> int | None:
    """Return the rating 1 to 4 of a result, None when nothing states one."""
    if progress.score is not None:
        return 1 + sum(progress.score >= threshold for threshold in thresholds)
    is_worst = progress.outcome == "Expired" or progress.failure_reason.casefold() in RATED_ONE
    return 1 if is_worst else None
