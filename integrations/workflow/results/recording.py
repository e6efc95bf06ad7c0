"""Record the progress that CodeScreen reports for an invitation."""

import logging

from integrations.codescreen.payloads import InstanceStatus, Progress
from integrations.invitation_status import InvitationStatus as Status
from integrations.models import Candidate, Invitation, db_clock
from integrations.workflow.effects.kinds.tags import enqueue_progress_tag
from integrations.workflow.results.completion import record_completion
from integrations.workflow.rules.tags import choose_progress_tag

logger = logging.getLogger(__name__)

REOPENED = "CodeScreen opened it again."


def record_progress(invitation: Invitation, progress: Progress) -> bool:
    """Record what CodeScreen answered, inside the caller's transaction; False when nothing changed."""
    if progress.is_complete:
        return record_completion(invitation, progress)
    if progress.status == InstanceStatus.IN_PROGRESS:
        return _record_in_progress(invitation, progress)
    if progress.status == InstanceStatus.NOT_STARTED:
        return _record_not_started(invitation)
    logger.warning("invitation %s: CodeScreen's status is unknown to the portal", invitation.pk)
    return False


def _record_not_started(invitation: Invitation) -> bool:
    if invitation.status in {Status.INVITED, Status.WITHDRAWN}:
        return False
    if invitation.status == Status.COMPLETED:
        Candidate.objects.record_outcome(invitation, "")
    sent_anew: dict[str, object] = {"bounced_at": None, "started_at": None, "submitted_at": None}
    invitation.move(Status.INVITED, REOPENED, **sent_anew, completed_at=None)
    enqueue_progress_tag(invitation, choose_progress_tag(invitation.status))
    return True


def _record_in_progress(invitation: Invitation, progress: Progress) -> bool:
    now = db_clock.now()
    was_completed = invitation.status == Status.COMPLETED
    submitted_at = progress.submitted_at
    if was_completed and submitted_at and invitation.completed_at and submitted_at <= invitation.completed_at:
        submitted_at = None  # it belongs to the earlier attempt
    if submitted_at:
        status = Status.SUBMITTED
    elif invitation.status == Status.SUBMITTED:
        return False  # reported by a webhook; CodeScreen's status stays In_Progress
    else:
        status = Status.IN_PROGRESS
    if invitation.status == status:
        return False
    was_started = invitation.status in {Status.IN_PROGRESS, Status.SUBMITTED}
    started_at = progress.started_at or (invitation.started_at if not was_completed else None) or now
    if was_completed:
        Candidate.objects.record_outcome(invitation, "")
    reason = REOPENED if was_completed else ""
    invitation.move(status, reason, started_at=started_at, submitted_at=submitted_at, completed_at=None)
    if not was_started:
        enqueue_progress_tag(invitation, choose_progress_tag(invitation.status))
    return True
