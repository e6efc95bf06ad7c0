"""Who failed waits for a person's decision, where the policy says so."""

from django.db.models.functions import Coalesce, Now

from integrations.codescreen.payloads import Progress
from integrations.models import Invitation, Result


def is_material_change(invitation: Invitation, progress: Progress, latest: Result | None) -> bool:
    """Whether a result that replaces one says anything about the candidate that a person would decide by.

    Another outcome, score or failure reason does, and so does work handed in anew; no difference is too small, since
    it is about a person. A new report link or attempt number alone doesn't: who was decided about stays decided,
    and who waits goes on waiting.
    """
    handed_in = progress.submitted_at
    if handed_in and invitation.submitted_at and handed_in > invitation.submitted_at:
        return True
    return latest is None or (latest.outcome, latest.score, latest.failure_reason) != (
        progress.outcome,
        progress.score,
        progress.failure_reason,
    )


def flag_for_review(invitation: Invitation, result: Result) -> None:
    """Let who failed wait for a person where the policy says so, since the first time they were asked; nobody else."""
    is_held = invitation.organization.hold_failed and result.outcome == Result.Outcome.FAILED
    since = Coalesce("awaits_decision_since", Now()) if is_held else None
    Invitation.objects.filter(pk=invitation.pk).update(awaits_decision_since=since)
