"""Manual review of failed candidates, where the organization's policy asks for it."""

from django.db.models.functions import Coalesce, Now

from integrations.codescreen.payloads import Progress
from integrations.models import Invitation, Result


def is_material_change(invitation: Invitation, progress: Progress, latest: Result | None) -> bool:
    """Whether a result differs from the latest one in what a person decides by.

    True for another outcome, score or failure reason, however small the difference, and for a new submission. Cosmetic
    changes, a new report link or attempt number alone, neither reopen nor end a review.
    """
    submitted_at = progress.submitted_at
    if submitted_at and invitation.submitted_at and submitted_at > invitation.submitted_at:
        return True
    return latest is None or (latest.outcome, latest.score, latest.failure_reason) != (
        progress.outcome,
        progress.score,
        progress.failure_reason,
    )


def flag_for_review(invitation: Invitation, result: Result) -> None:
    """Make a failed candidate await a decision where the policy says so; end the wait for any other result.

    A candidate who awaits a decision already keeps the time since when.
    """
    is_held = invitation.organization.hold_failed and result.outcome == Result.Outcome.FAILED
    since = Coalesce("awaits_decision_since", Now()) if is_held else None
    Invitation.objects.filter(pk=invitation.pk).update(awaits_decision_since=since)
