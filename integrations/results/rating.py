"""The rating of a result in Lever: from the score, never against the result that CodeScreen states."""

from integrations.catalog.models import Assessment, RatingThresholds
from integrations.codescreen.payloads import Progress
from integrations.core.rules.names import is_named
from integrations.core.vocabulary import ResultOutcome, Thresholds
from integrations.invitations.models.invitation import Invitation

#: With the policy `rating_follows_result`, the highest rating of a stated Failed and the lowest of a stated Passed.
HIGHEST_OF_FAILED, LOWEST_OF_PASSED = 2, 3


def rate(progress: Progress, thresholds: Thresholds, *, follows_result: bool) -> int | None:
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


def rating_of(progress: Progress, invitation: Invitation) -> int | None:
    """Return the rating of an invitation's result, by its assessment's thresholds and the organization's policies."""
    organization = invitation.organization
    return rate(progress, _thresholds(invitation), follows_result=organization.rating_follows_result)


def _thresholds(invitation: Invitation) -> Thresholds:
    """Return the thresholds that name the assessment by id, else by name, else the organization's."""
    rows = list(RatingThresholds.objects.filter(organization=invitation.organization_id))
    if not rows:
        return invitation.organization.rating_thresholds
    assessment = Assessment.objects.filter(
        organization=invitation.organization_id, external_id=invitation.assessment_id
    ).first()
    name = assessment.name if assessment else invitation.assessment_name
    by_id = [row for row in rows if row.assessment.strip() == invitation.assessment_id]
    named = by_id or [row for row in rows if is_named(row.assessment, invitation.assessment_id, name)]
    return named[0].values if named else invitation.organization.rating_thresholds
