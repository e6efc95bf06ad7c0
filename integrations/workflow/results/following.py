"""When following an invitation ends, and that it never ends without a word."""

from datetime import datetime, timedelta

from django.db.models.functions import Now

from integrations.invitation_status import FOLLOWED, NO_RESULT, FollowingEnd, InvitationStatus
from integrations.models import EmailTopic, Invitation, Organization
from integrations.models.invitation import FOLLOWING_GOES_ON
from integrations.vocabulary import lower_first
from integrations.workflow.effects.kinds.note import enqueue_note
from integrations.workflow.email.names import UNNAMED, first_name
from integrations.workflow.email.notify import notify_members

NO_LONGER_ASKED = "The portal no longer checks CodeScreen for it."


def why_following_ends(invitation: Invitation, now: datetime) -> FollowingEnd | None:
    """Return why CodeScreen is no longer to be asked, after an answer at `now`; None while it is."""
    end = InvitationStatus(invitation.status).record.following_ends
    if end is None:
        return None
    since = invitation.followed_since
    if end is FollowingEnd.RESULT_SETTLED:
        since = max(invitation.completed_at or now, since)
    return end if now - since > timedelta(days=_days(invitation, end)) else None


def is_gone(invitation: Invitation, now: datetime) -> bool:
    """Whether CodeScreen has answered for so long that it doesn't have the instance that it is deleted for good."""
    since = invitation.missing_since
    return since is not None and now - since > timedelta(days=_days(invitation, FollowingEnd.GONE))


def end_following(invitation: Invitation, end: FollowingEnd) -> None:
    """Record that CodeScreen is no longer asked. Where there is no result, tell the members, and of a no-show Lever.

    Called inside the caller's transaction; safe to run twice.
    """
    rows = Invitation.objects.filter(pk=invitation.pk)
    rows.update(next_poll_at=None)
    is_new = rows.filter(following_ended="").update(
        following_ended=end,
        following_ended_reason=f"{_sentence(invitation, end)} {NO_LONGER_ASKED}",
        following_ended_at=Now(),
    )
    if is_new and invitation.status in FOLLOWED:
        _notify_end(invitation, end)
        if end == FollowingEnd.NOT_STARTED and invitation.organization.note_on_skip:
            _leave_note(invitation)


def follow_gone_again(organization: Organization) -> int:
    """Ask again about what CodeScreen didn't have: the key was another account's, perhaps. Return how many."""
    gone = Invitation.objects.followed().filter(organization=organization, following_ended=FollowingEnd.GONE)
    return gone.update(next_poll_at=Now(), poll_failures=0, **FOLLOWING_GOES_ON)


def _days(invitation: Invitation, end: FollowingEnd) -> int:
    return invitation.organization.no_show_days if end.days is None else end.days


def _sentence(invitation: Invitation, end: FollowingEnd) -> str:
    return end.sentence.format(days=_days(invitation, end))


def _leave_note(invitation: Invitation) -> None:
    days = invitation.organization.no_show_days
    enqueue_note(
        invitation.organization,
        invitation.opportunity_id,
        f"not_started:{invitation.pk}:{invitation.followed_since.isoformat()}",
        f"CodeScreen: “{invitation.assessment_name}” was not started within {days} days, and the portal no longer asks "
        "for a result. To have it tracked again, move the candidate into the stage again.",
        invitation=invitation,
    )


def _notify_end(invitation: Invitation, end: FollowingEnd) -> None:
    person = invitation.candidate_name or UNNAMED
    notify_members(
        invitation.organization,
        EmailTopic.FOLLOWING_ENDED,
        f"{invitation.pk}:{end}:{invitation.followed_since.isoformat()}",
        subject=f"No result for {first_name(person)}: {lower_first(end.label)}",
        lines=[
            f"{person}, “{invitation.assessment_name}”: {_sentence(invitation, end)} {NO_LONGER_ASKED}",
            NO_RESULT.next_step,
        ],
        invitation=invitation,
    )
