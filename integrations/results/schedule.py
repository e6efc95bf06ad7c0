"""When CodeScreen is asked about an invitation, and when it no longer is."""

import random
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from integrations.case.reconcile import changing
from integrations.case.texts import days_until, end_sentence
from integrations.core.invitation_status import FollowingEnd
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ProgressTag
from integrations.http.session import PlatformError
from integrations.http.steps import SHORTEST_WAIT
from integrations.invitations.models.invitation import FOLLOWING_GOES_ON, Invitation
from integrations.organizations.models.organization import Organization
from integrations.store.database import due_after
from integrations.store.leasing import LEASE

NO_LONGER_ASKED = "The portal no longer checks CodeScreen for it."
#: For so long after the sending the start of an assessment is seen within ten minutes.
PROMPT_FOR = timedelta(days=2)
#: From then on an invitation that isn't started is polled SELDOM_TIMES less often.
SELDOM_AFTER = timedelta(days=14)
SELDOM_TIMES = 12
LONGEST_POLL_LEASE = 7  # doublings: an hour and a half
#: The wait after the first poll that failed; it doubles with each further one in a row.
FIRST_POLL_RETRY = timedelta(minutes=1)
LONGEST_POLL_RETRY = timedelta(hours=2)
#: The wait where CodeScreen doesn't have the instance, after more than three failures in a row.
NOT_FOUND_POLL_RETRY = timedelta(hours=6)
#: A poll that a person asks for of an invitation that is no longer followed doesn't schedule the next one.
SCHEDULED = Q(next_poll_at__isnull=False) | Q(following_ended="")


def poll_interval(invitation: Invitation, now: datetime) -> timedelta | None:
    """Return the longest time between polls of an invitation as it stands; None when it isn't polled.

    An open one is polled as often as one in progress for PROMPT_FOR, and seldom from SELDOM_AFTER on.
    """
    pace = Status(invitation.status).record.poll
    if pace is None:
        return None
    seconds, age = getattr(settings, pace.setting) * pace.times, now - invitation.followed_since
    if invitation.status == Status.INVITED and age < PROMPT_FOR:
        seconds = settings.POLL_IN_PROGRESS_SECONDS
    elif invitation.status == Status.INVITED and age >= SELDOM_AFTER:
        seconds *= SELDOM_TIMES
    return timedelta(seconds=seconds)


def next_poll(invitation: Invitation, now: datetime) -> Combinable | None:
    """Return when to poll a followed invitation again, at a time spread over the last quarter of the interval.

    None at a status that isn't polled.

    The database finds out the time, as it does whether it has come: by this process's reading of its clock, after the
    machine was suspended, the next poll could be due at once, again and again.
    """
    every = poll_interval(invitation, now)
    return None if every is None else Now() + every * random.uniform(0.75, 0.98)  # noqa: S311


def claim_polls(most: int) -> list[Invitation]:
    """Claim invitations that are due for a poll, the longest-waiting first, at most `most`; return them as they were.

    A failure is counted here and reset by the answer, and each one doubles the lease: an invitation that kills its
    worker is polled less and less often.
    """
    with transaction.atomic():
        due = Invitation.objects.due_for_poll().order_by("next_poll_at")
        invitations = list(due.select_for_update(of=("self",), skip_locked=True, no_key=True)[:most])
        for failures in {invitation.poll_failures for invitation in invitations}:
            lease = LEASE * 2 ** min(failures, LONGEST_POLL_LEASE)
            with_as_many = [one.pk for one in invitations if one.poll_failures == failures]
            claimed = Invitation.objects.filter(pk__in=with_as_many)
            claimed.update(next_poll_at=Now() + lease, poll_failures=F("poll_failures") + 1)
    return invitations


def postpone(invitation: Invitation, error: PlatformError) -> None:
    """Poll again later: after the time CodeScreen asks for, else less often with every failure.

    Following ends when CodeScreen has answered for long that it doesn't have the instance.
    """
    failures = invitation.poll_failures + 1
    wait = min(FIRST_POLL_RETRY * 2 ** min(failures - 1, 7), LONGEST_POLL_RETRY)
    if error.status == 404 and failures > 3:  # deleted in CodeScreen, or not visible yet: it may come back
        wait = NOT_FOUND_POLL_RETRY
    if error.retry_after is not None:
        wait = max(wait if error.retry_after else SHORTEST_WAIT, timedelta(seconds=error.retry_after))
    with changing(invitation.organization, invitation.opportunity_id) as case:
        own = case.invitation(invitation.pk)
        if error.status == 404 and not own.stopped_by_user and own.polled_at == invitation.polled_at:
            own.change(missing_since=own.missing_since or case.now)
            if is_gone(own, case.now):
                end_following(own, FollowingEnd.GONE, case.now)
                return
        Invitation.objects.filter(SCHEDULED, pk=own.pk).update(
            next_poll_at=due_after(wait), poll_failures=failures
        )


def postpone_uncalled(invitation: Invitation, wait: timedelta) -> None:
    """Poll again after `wait`; the claim's failure isn't counted, since no call was made."""
    Invitation.objects.filter(SCHEDULED, pk=invitation.pk).update(
        next_poll_at=due_after(wait), poll_failures=invitation.poll_failures
    )


def why_following_ends(invitation: Invitation, now: datetime) -> FollowingEnd | None:
    """Return why CodeScreen is no longer to be asked, after an answer at `now`; None while it is."""
    end = Status(invitation.status).record.following_ends
    if end is None:
        return None
    since = invitation.followed_since
    if end is FollowingEnd.RESULT_SETTLED:
        since = max(invitation.completed_at or now, since)
    return end if now - since > timedelta(days=days_until(invitation.organization, end)) else None


def is_gone(invitation: Invitation, now: datetime) -> bool:
    """Whether CodeScreen has answered for so long that it doesn't have the instance that it is deleted for good."""
    since = invitation.missing_since
    return since is not None and now - since > timedelta(
        days=days_until(invitation.organization, FollowingEnd.GONE)
    )


def plan_next(invitation: Invitation, now: datetime) -> None:
    """Record after an answer at `now` when CodeScreen is asked next, or that it no longer is, and the tag of then."""
    end = why_following_ends(invitation, now)
    changes: dict[str, object] = {}
    if end is None:
        changes = {"next_poll_at": next_poll(invitation, now), **FOLLOWING_GOES_ON}
    if invitation.status == Status.INVITED:
        changes["unstarted_tag"] = unstarted_tag(invitation, end, now)
    if changes:
        invitation.change(**changes)
    if end is not None:
        end_following(invitation, end, now)


def end_following(invitation: Invitation, end: FollowingEnd, now: datetime) -> None:
    """Record that CodeScreen is no longer asked, within the change of the candidate. Safe to run twice."""
    if invitation.following_ended:
        invitation.change(next_poll_at=None)
        return
    reason = f"{end_sentence(invitation.organization, end)} {NO_LONGER_ASKED}"
    invitation.change(
        next_poll_at=None, following_ended=end.value, following_ended_reason=reason, following_ended_at=now
    )


def unstarted_tag(invitation: Invitation, end: FollowingEnd | None, now: datetime) -> str:
    """Return the tag that says that the candidate hasn't started, at `now`; empty for the usual one.

    `end` is why CodeScreen is no longer asked from then on. The days count from the sending, or from when CodeScreen
    opened the assessment again; each has 24 hours.
    """
    if end is FollowingEnd.NOT_STARTED:
        return ProgressTag.NOT_STARTED
    days = invitation.organization.not_started_days
    is_late = days > 0 and now - invitation.followed_since >= timedelta(days=days)
    return ProgressTag.NOT_STARTED_YET if is_late else ""


def follow_gone_again(organization: Organization) -> int:
    """Ask again about what CodeScreen didn't have: the key was another account's, perhaps. Return how many."""
    gone = Invitation.objects.followed().filter(organization=organization, following_ended=FollowingEnd.GONE)
    rows = list(gone.order_by("pk").values_list("pk", "opportunity_id"))
    for pk, opportunity_id in rows:
        with changing(organization, opportunity_id) as case:
            case.invitation(pk).change(next_poll_at=Now(), poll_failures=0, **FOLLOWING_GOES_ON)
    return len(rows)
