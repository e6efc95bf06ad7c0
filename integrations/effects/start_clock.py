"""The time that candidates have to start: by when they must, and what the progress tag says of who hasn't.

Both count from the sending, or from when CodeScreen opened the assessment again; days have 24 hours.
"""

from datetime import datetime, timedelta

from integrations.core.invitation_status import FOLLOWED, FollowingEnd
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.names import choose_progress_tag
from integrations.core.time_zones import with_date, zone_of
from integrations.core.vocabulary import ProgressTag
from integrations.effects.kinds.messages import enqueue_note
from integrations.effects.kinds.tags import enqueue_progress_tag
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.rules import role_rules_of


def must_start_by(invitation: Invitation, sent_at: datetime) -> datetime | None:
    """Return by when the candidate must start what is sent then; None where the rules say no days."""
    days = role_rules_of(invitation).start_within_days
    return None if days is None else sent_at + timedelta(days=days)


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
    if tag == ProgressTag.NOT_STARTED_YET and invitation.organization.note_on_wait:
        code = f"not_started_yet:{invitation.pk}:{invitation.followed_since.isoformat()}"
        text = _text_of_unstarted(invitation)
        enqueue_note(invitation.organization, invitation.opportunity_id, code, text, invitation=invitation)
    others = Invitation.objects.filter(
        organization=invitation.organization_id,
        opportunity_id=invitation.opportunity_id,
        changed_at__gt=invitation.changed_at,
        status__in=[*FOLLOWED, Status.COMPLETED],
    )
    if not others.exists():
        enqueue_progress_tag(invitation, tag or choose_progress_tag(invitation.status))


def _text_of_unstarted(invitation: Invitation) -> str:
    """Return what a note says of who hasn't started for long: until when they can, and what comes then."""
    zone = zone_of(invitation.organization.time_zone)
    if invitation.start_by is not None:
        must = "had to" if invitation.is_start_overdue else "must"
        time_left = (
            f"They {must} start by {with_date(invitation.start_by, zone)}. Once CodeScreen says that this time is "
            "over, an Admin can send it again."
        )
    else:
        end = invitation.followed_since + timedelta(days=invitation.organization.no_show_days)
        time_left = (
            f"If they haven't started by {end.astimezone(zone):%-d %B %Y}, the progress tag becomes "
            f"“{ProgressTag.NOT_STARTED}”, and no result comes."
        )
    return (
        f"CodeScreen: “{invitation.assessment_name}” was sent, but the candidate hasn't started it yet. {time_left} "
        "Once they start, the progress tag says so."
    )


def _unstarted_tag(invitation: Invitation, end: FollowingEnd | None, now: datetime) -> str:
    """Return the tag that says that the candidate hasn't started; empty for the usual one."""
    if end is FollowingEnd.NOT_STARTED:
        return ProgressTag.NOT_STARTED
    days = role_rules_of(invitation).not_started_days
    is_late = days > 0 and now - invitation.followed_since >= timedelta(days=days)
    return ProgressTag.NOT_STARTED_YET if is_late else ""
