"""Record the result of a completed assessment."""

import logging
from functools import partial

from django.db import transaction

from integrations.codescreen.payloads import Progress
from integrations.invitation_status import InvitationStatus as Status
from integrations.models import Candidate, CodeScreenConnection, Invitation, Result, db_clock
from integrations.workflow.results.manual_review import flag_for_review, is_material_change
from integrations.workflow.results.rating import rating_of
from integrations.workflow.results.result_effects import enqueue_result_effects

logger = logging.getLogger(__name__)


def record_completion(invitation: Invitation, progress: Progress) -> bool:
    """Record a completed assessment and enqueue what follows from its result; False when nothing changed.

    What was read last counts, whatever number CodeScreen gives the attempt: one whose number is lower than ours is
    recorded under the next number.
    """
    latest = invitation.latest_result()
    stated = {
        "outcome": progress.outcome,
        "score": progress.score,
        "failure_reason": progress.failure_reason,
        "report_url": progress.report_url,
        "rating": rating_of(progress, invitation),
    }
    is_same = latest is not None and all(
        getattr(latest, name) == value for name, value in stated.items() if name != "rating"
    )
    is_new_attempt = latest is not None and progress.attempt is not None and progress.attempt > latest.attempt
    if invitation.status == Status.COMPLETED and is_same and not is_new_attempt:
        return False
    result, _ = Result.objects.update_or_create(
        invitation=invitation,
        attempt=_attempt(progress, latest),
        defaults=stated | {"metadata": progress.metadata},
    )
    Candidate.objects.record_outcome(invitation, result.outcome)
    CodeScreenConnection.note_result(invitation.organization_id, bool(progress.outcome))
    needs_review = invitation.status != Status.COMPLETED or is_material_change(invitation, progress, latest)
    now = db_clock.now()
    completed_at = progress.evaluated_at or now
    invitation.move(
        Status.COMPLETED,
        started_at=invitation.started_at or progress.started_at,
        submitted_at=progress.submitted_at or invitation.submitted_at,
        completed_at=completed_at,
    )
    enqueue_result_effects(invitation, result, is_same)
    if needs_review:
        flag_for_review(invitation, result)
    message = "invitation %s: result of attempt %s recorded"
    transaction.on_commit(partial(logger.info, message, invitation.pk, result.attempt))
    return True


def _attempt(progress: Progress, latest: Result | None) -> int:
    """Return the number under which a result is recorded: CodeScreen's, unless ours is higher already."""
    if latest is None:
        return progress.attempt or 1
    if progress.attempt is not None and progress.attempt >= latest.attempt:
        return progress.attempt
    return latest.attempt + 1
