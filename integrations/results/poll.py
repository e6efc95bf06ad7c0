"""Ask CodeScreen how far an invitation is: by the clock, and when a webhook says that there is news.

Source of the event types: the account's webhook extension (Standard Webhooks), where an account has it.
"""

import logging
import random
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from integrations.clients import call_log
from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.models import mark_key_refused
from integrations.codescreen.payloads import WebhookHint
from integrations.core.invitation_status import (
    FOLLOWED,
    NO_RESULT,
    FollowingEnd,
)
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.names import choose_progress_tag
from integrations.core.vocabulary import lower_first
from integrations.http.session import CallDeferred, NotConnected, PlatformError
from integrations.http.steps import DISCONNECTED_RETRY, SHORTEST_WAIT, Conflict, deferral, run_step
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.invitation_queries import FOLLOWING_GOES_ON
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notify import notify_members
from integrations.organizations.models.organization import Organization
from integrations.outbox.kinds.messages import enqueue_note
from integrations.outbox.kinds.tags import enqueue_progress_tag
from integrations.outbox.start_clock import tag_unstarted
from integrations.results.recording import record_progress
from integrations.store import database
from integrations.store.database import due_after
from integrations.store.leasing import LEASE

SUBMITTED, EMAIL_BOUNCED = "candidate.submitted", "candidate.email_bounced"


def apply_hint(organization: Organization, hint: WebhookHint) -> Invitation | None:
    """Make the invitation that a webhook names due for a poll and return it; None when the portal didn't send it.

    An invitation that a person stopped isn't polled.
    """
    rows = Invitation.objects.filter(organization=organization)
    invitation = rows.filter(instance_id=hint.instance_id).first() if hint.instance_id else None
    if invitation is None or invitation.stopped_by_user or invitation.erased_at is not None:
        return invitation
    Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=Now())
    if hint.type == SUBMITTED:
        _record_submission(invitation)
    if hint.type == EMAIL_BOUNCED:
        _tell_bounce(invitation)
    return invitation


def _tell_bounce(invitation: Invitation) -> None:
    """Say once in Lever that the invitation's e-mail bounced, and what to do; nothing once it was started."""
    if invitation.status == Status.INVITED and invitation.organization.note_on_skip:
        enqueue_note(
            invitation.organization,
            invitation.opportunity_id,
            f"bounced:{invitation.pk}",
            f"CodeScreen: the e-mail with “{invitation.assessment_name}” bounced: it couldn't be delivered. Correct "
            "the address in Lever. Then an Admin cancels the invitation on the candidate's page, and sends it again.",
            invitation=invitation,
        )


def _record_submission(invitation: Invitation) -> None:
    """Record a submission.

    Only a webhook reports it: CodeScreen's status stays In_Progress until the evaluation.
    """
    now = database.now()
    with transaction.atomic():
        invitation = Invitation.objects.reread_locked(invitation)
        was_started = invitation.status == Status.IN_PROGRESS
        if not was_started and invitation.status != Status.INVITED:
            return
        invitation.move(Status.SUBMITTED, submitted_at=now, started_at=invitation.started_at or now)
        if not was_started:  # the start is reported later, or never
            enqueue_progress_tag(invitation, choose_progress_tag(invitation.status))


logger = logging.getLogger(__name__)

NO_LONGER_ASKED = "The portal no longer checks CodeScreen for it."


def why_following_ends(invitation: Invitation, now: datetime) -> FollowingEnd | None:
    """Return why CodeScreen is no longer to be asked, after an answer at `now`; None while it is."""
    end = Status(invitation.status).record.following_ends
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
    """Record that CodeScreen is no longer asked. Where there is no result, tell the members, and leave a note in Lever.

    Called inside the caller's transaction; safe to run twice.
    """
    rows = Invitation.objects.filter(pk=invitation.pk)
    sentence = end.sentence.format(days=_days(invitation, end))
    reason = f"{sentence} {NO_LONGER_ASKED}"
    rows.update(next_poll_at=None)
    is_new = rows.filter(following_ended="").update(
        following_ended=end, following_ended_reason=reason, following_ended_at=Now()
    )
    if not is_new or invitation.status not in FOLLOWED:
        return
    organization = invitation.organization
    since = invitation.followed_since.isoformat()
    notify_members(
        organization,
        EmailTopic.FOLLOWING_ENDED,
        f"{invitation.pk}:{end}:{since}",
        subject=f"no result: {lower_first(end.label)}",
        lines=[f"“{invitation.assessment_name}”: {reason}", NO_RESULT.next_step],
        invitation=invitation,
    )
    if organization.note_on_skip:
        enqueue_note(
            organization,
            invitation.opportunity_id,
            f"{end}:{invitation.pk}:{since}",
            f"CodeScreen: “{invitation.assessment_name}”: {lower_first(sentence)} No result comes any more. If "
            "you still need it, move the candidate out of the stage and back in.",
            invitation=invitation,
        )


def follow_gone_again(organization: Organization) -> int:
    """Ask again about what CodeScreen didn't have: the key was another account's, perhaps. Return how many."""
    gone = Invitation.objects.followed().filter(organization=organization, following_ended=FollowingEnd.GONE)
    return gone.update(next_poll_at=Now(), poll_failures=0, **FOLLOWING_GOES_ON)


def _days(invitation: Invitation, end: FollowingEnd) -> int:
    return invitation.organization.no_show_days if end.days is None else end.days


LONGEST_POLL_LEASE = 7  # doublings: an hour and a half
#: The wait after the first poll that failed; it doubles with each further one in a row.
FIRST_POLL_RETRY = timedelta(minutes=1)
LONGEST_POLL_RETRY = timedelta(hours=2)
#: The wait where CodeScreen doesn't have the instance, after more than three failures in a row.
NOT_FOUND_POLL_RETRY = timedelta(hours=6)
#: A poll that a person asks for of an invitation that is no longer followed doesn't schedule the next one.
SCHEDULED = Q(next_poll_at__isnull=False) | Q(following_ended="")


def poll_interval(status: str) -> timedelta | None:
    """Return the time between polls at that status; None when it isn't polled."""
    pace = Status(status).record.poll
    return None if pace is None else timedelta(seconds=getattr(settings, pace.setting)) * pace.times


def next_poll(invitation: Invitation) -> Combinable | None:
    """Return when to poll a followed invitation again, with jitter; None at a status that isn't polled.

    The database finds out the time, as it does whether it has come: by this process's reading of its clock, after the
    machine was suspended, the next poll could be due at once, again and again.
    """
    every = poll_interval(invitation.status)
    return None if every is None else Now() + every * random.uniform(0.85, 1.15)  # noqa: S311


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
    with transaction.atomic():
        row = Invitation.objects.reread_locked(invitation)
        if error.status == 404 and not row.stopped_by_user and row.polled_at == invitation.polled_at:
            row.missing_since = row.missing_since or database.now()
            Invitation.objects.filter(pk=row.pk).update(missing_since=row.missing_since)
            if is_gone(row, database.now()):
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


class PollOutcome(Enum):
    """How one poll ended."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STOPPED = "stopped"  # a person stopped following the invitation, or the candidate's data was erased
    OVERTAKEN = "overtaken"  # another answer was recorded during this poll; the invitation is polled again
    POSTPONED = "postponed"  # there was no answer, or it could not be recorded


def poll(invitation: Invitation, clients: ClientProvider) -> PollOutcome:
    """Poll one claimed invitation; raises nothing for what CodeScreen or a bug did."""
    result = run_step(
        f"invitation {invitation.pk}", lambda: refresh_progress(invitation, clients.codescreen())
    )
    match result:
        case NotConnected():
            postpone_uncalled(invitation, DISCONNECTED_RETRY)
        case CallDeferred():
            postpone_uncalled(invitation, deferral(result))
        case Conflict():
            postpone_uncalled(invitation, SHORTEST_WAIT)
        case PlatformError():
            logger.info("invitation %s: %s", invitation.pk, result)
            postpone(invitation, result)
            if result.status == 401:
                mark_key_refused(invitation.organization.codescreen, str(result))
        case PollOutcome():
            return result
    return PollOutcome.POSTPONED  # after a crash at the time that the claim has set


def refresh_progress(invitation: Invitation, codescreen: CodeScreenClient) -> PollOutcome:
    """Read the status from CodeScreen and record it. Safe to run twice. Raises PlatformError."""
    known = Invitation.objects.only("polled_at", "next_poll_at").get(pk=invitation.pk)
    progress = codescreen.status(invitation.instance_id)
    with call_log.recorded():
        invitation = Invitation.objects.reread_locked(invitation)
        if invitation.stopped_by_user or invitation.erased_at is not None:
            return PollOutcome.STOPPED
        if invitation.polled_at != known.polled_at:  # this answer may be the older one
            Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=Now())
            return PollOutcome.OVERTAKEN
        is_changed = record_progress(invitation, progress)
        now = database.now()
        Invitation.objects.filter(pk=invitation.pk).update(
            raw_status=progress.status[:100],
            polled_at=now,
            poll_failures=0,
            missing_since=None,
        )
        # else a webhook has made the invitation due during this poll
        if invitation.next_poll_at == known.next_poll_at:
            end = why_following_ends(invitation, now)
            tag_unstarted(invitation, end, now)
            if end:
                end_following(invitation, end)
            else:
                Invitation.objects.filter(pk=invitation.pk).update(
                    next_poll_at=next_poll(invitation), **FOLLOWING_GOES_ON
                )
    return PollOutcome.CHANGED if is_changed else PollOutcome.UNCHANGED
