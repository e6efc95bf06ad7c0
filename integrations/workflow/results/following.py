"""When following an invitation ends, and that it never ends without a word."""

from datetime import datetime, timedelta

from django.db.models.functions import Now

from integrations.models import EmailTopic, Invitation, Organization
from integrations.models.invitation_status import FOLLOWED, FOLLOWING_GOES_ON, Status
from integrations.vocabulary import FollowingEnd
from integrations.workflow.effects.kinds.note import enqueue_note
from integrations.workflow.email.names import UNNAMED, first_name
from integrations.workflow.email.notify import notify_members

TIME_TO_FINISH = timedelta(days=56)
SETTLED_AFTER = timedelta(days=30)
GONE_AFTER = timedelta(days=7)

NEXT = (
    "If you still need the result, move the candidate into the stage again, and the portal checks CodeScreen again. To "
    "send a new e-mail, cancel tracking and send it again from the candidate's page."
)
NO_LONGER_ASKED = "The portal no longer checks CodeScreen for it."


def why_following_ends(invitation: Invitation, now: datetime) -> FollowingEnd | None:
    """Return why CodeScreen is no longer to be asked, after an answer at `now`; None while it is."""
    time_to_start = timedelta(days=invitation.organization.no_show_days)
    waited = now - invitation.followed_since
    match invitation.status:
        case Status.INVITED:
            return FollowingEnd.NOT_STARTED if waited > time_to_start else None
        case Status.IN_PROGRESS | Status.SUBMITTED:
            return FollowingEnd.NOT_FINISHED if waited > TIME_TO_FINISH else None
        case Status.WITHDRAWN:
            return FollowingEnd.WITHDRAWN if waited > time_to_start else None
        case Status.COMPLETED:
            settling_since = max(invitation.completed_at or now, invitation.followed_since)
            return FollowingEnd.RESULT_SETTLED if now - settling_since > SETTLED_AFTER else None
    return None


def is_gone(invitation: Invitation, now: datetime) -> bool:
    """Whether CodeScreen has answered for so long that it doesn't have the instance that it is deleted for good."""
    return invitation.missing_since is not None and now - invitation.missing_since > GONE_AFTER


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


def _sentence(invitation: Invitation, end: FollowingEnd) -> str:
    days = invitation.organization.no_show_days
    return {
        FollowingEnd.NOT_STARTED: f"Not started within {days} days.",
        FollowingEnd.NOT_FINISHED: f"Started, but not finished within {TIME_TO_FINISH.days} days.",
        FollowingEnd.GONE: f"It has been missing in CodeScreen for {GONE_AFTER.days} days, so it was deleted there.",
        FollowingEnd.RESULT_SETTLED: f"The result hasn't changed for {SETTLED_AFTER.days} days.",
        FollowingEnd.WITHDRAWN: f"Cancelled, and not completed within {days} days.",
    }[end]


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
        subject=f"No result for {first_name(person)}: {end.label[0].lower()}{end.label[1:]}",
        lines=[
            f"{person}, “{invitation.assessment_name}”: {_sentence(invitation, end)} {NO_LONGER_ASKED}",
            NEXT,
        ],
        invitation=invitation,
    )
