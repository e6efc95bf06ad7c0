"""When an invitation is polled, and by which worker."""

import random
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from integrations.http.errors import PlatformError
from integrations.invitation_status import FollowingEnd, InvitationStatus
from integrations.models import Invitation, db_clock
from integrations.models.db_clock import due_after
from integrations.models.leasing import LEASE
from integrations.workflow.results.following import end_following, is_gone

POLL_LEASE = LEASE
LONGEST_POLL_LEASE = 7  # doublings: an hour and a half
#: A poll that a person asks for of an invitation that is no longer followed doesn't schedule the next one.
SCHEDULED = Q(next_poll_at__isnull=False) | Q(following_ended="")


def poll_interval(status: str) -> timedelta | None:
    """Return the time between polls at that status; None when it isn't polled."""
    pace = InvitationStatus(status).record.poll
    return None if pace is None else timedelta(seconds=getattr(settings, pace.setting)) * pace.times


def next_poll(invitation: Invitation, now: datetime) -> datetime | None:
    """Return when to poll a followed invitation again, with jitter; None at a status that isn't polled."""
    every = poll_interval(invitation.status)
    return None if every is None else now + every * random.uniform(0.85, 1.15)  # noqa: S311


def claim_polls(most: int) -> list[Invitation]:
    """Claim invitations that are due for a poll, the longest-waiting first, at most `most`; return them as they were.

    A failure is counted here and reset by the answer, and each one doubles the lease: an invitation that kills its
    worker is polled less and less often.
    """
    with transaction.atomic():
        due = Invitation.objects.due_for_poll().order_by("next_poll_at")
        invitations = list(due.select_for_update(of=("self",), skip_locked=True, no_key=True)[:most])
        for failures in {invitation.poll_failures for invitation in invitations}:
            lease = POLL_LEASE * 2 ** min(failures, LONGEST_POLL_LEASE)
            with_as_many = [one.pk for one in invitations if one.poll_failures == failures]
            claimed = Invitation.objects.filter(pk__in=with_as_many)
            claimed.update(next_poll_at=Now() + lease, poll_failures=F("poll_failures") + 1)
    return invitations


def postpone(invitation: Invitation, error: PlatformError) -> None:
    """Poll again later: after the time CodeScreen asks for, else less often with every failure.

    Following ends when CodeScreen has answered for long that it doesn't have the instance.
    """
    failures = invitation.poll_failures + 1
    wait = min(timedelta(seconds=30) * 2 ** min(failures, 8), timedelta(hours=2))
    if error.status == 404:  # deleted in CodeScreen, or not visible yet: it may come back
        wait = timedelta(hours=6) if failures > 3 else wait
    if error.retry_after is not None:
        wait = max(wait if error.retry_after else timedelta(0), timedelta(seconds=error.retry_after))
    with transaction.atomic():
        row = Invitation.objects.reread_locked(invitation)
        if error.status == 404 and not row.stopped_by_user and row.polled_at == invitation.polled_at:
            row.missing_since = row.missing_since or db_clock.now()
            Invitation.objects.filter(pk=row.pk).update(missing_since=row.missing_since)
            if is_gone(row, db_clock.now()):
                end_following(row, FollowingEnd.GONE)
                return
        Invitation.objects.filter(SCHEDULED, pk=row.pk).update(
            next_poll_at=due_after(wait), poll_failures=failures
        )


def postpone_uncalled(invitation: Invitation, wait: timedelta) -> None:
    """Poll again after `wait`; the claim's failure isn't counted, since no call was made."""
    Invitation.objects.filter(SCHEDULED, pk=invitation.pk).update(
        next_poll_at=due_after(wait), poll_failures=invitation.poll_failures
    )
