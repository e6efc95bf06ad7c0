"""What the progress tag says of who hasn't started.

The days count from the sending, or from when CodeScreen opened the assessment again; each has 24 hours.
"""

from datetime import datetime, timedelta

from integrations.core.invitation_status import FOLLOWED, FollowingEnd
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.names import choose_progress_tag
from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.kinds.tags import enqueue_progress_tag


def tag_unstarted(invitation: Invitation, end: FollowingEnd | None, now: datetime) -> None:
    """Let the progress tag say whether the candidate hasn't started for long, after CodeScreen's answer at `now`.

    `end` is why it is no longer asked from then on, None while it is. Called inside the caller's transaction with the
    row locked; safe to run twice. The tag isn't set where another of the candidate's invitations has got on since.
    """
    if invitation.status != Status.INVITED:
        return
    tag = _unstarted_tag(invitation, end, now)
    if tag == invitation.unstarted_tag:
        return
    Invitation.objects.filter(pk=invitation.pk).update(unstarted_tag=tag)
    others = Invitation.objects.filter(
        organization=invitation.organization_id,
        opportunity_id=invitation.opportunity_id,
        changed_at__gt=invitation.changed_at,
        status__in=[*FOLLOWED, Status.COMPLETED],
    )
    if not others.exists():
        enqueue_progress_tag(invitation, tag or choose_progress_tag(invitation.status))


def _unstarted_tag(invitation: Invitation, end: FollowingEnd | None, now: datetime) -> str:
    """Return the tag that says that the candidate hasn't started; empty for the usual one."""
    if end is FollowingEnd.NOT_STARTED:
        return ProgressTag.NOT_STARTED
    days = invitation.organization.not_started_days
    is_late = days > 0 and now - invitation.followed_since >= timedelta(days=days)
    return ProgressTag.NOT_STARTED_YET if is_late else ""
