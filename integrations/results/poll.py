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

from integrations.case.reconcile import changing
from integrations.case.texts import days_until, end_sentence
from integrations.clients import call_log
from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.models import mark_key_refused
from integrations.codescreen.payloads import WebhookHint
from integrations.core.invitation_status import (
    FollowingEnd,
)
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ProgressTag
from integrations.http.session import CallDeferred, NotConnected, PlatformError
from integrations.http.steps import DISCONNECTED_RETRY, SHORTEST_WAIT, Conflict, deferral, run_step
from integrations.invitations.models.invitation import FOLLOWING_GOES_ON, Invitation
from integrations.organizations.models.organization import Organization
from integrations.results.recording import record_progress
from integrations.store.database import due_after
from integrations.store.leasing import LEASE

SUBMITTED, EMAIL_BOUNCED = "candidate.submitted", "candidate.email_bounced"


def apply_hint(organization: Organization, hint: WebhookHint) -> Invitation | None:
    """Make the invitation that a webhook names due for a poll and return it; None when the portal didn't send it.

    An invitation that a person stopped isn't polled. A submission is recorded at once: CodeScreen's status stays
    In_Progress until the evaluation; so is an e-mail that bounced.
    """
    rows = Invitation.objects.filter(organization=organization)
    invitation = rows.filter(instance_id=hint.instance_id).first() if hint.instance_id else None
    if invitation is None or invitation.stopped_by_user or invitation.erased_at is not None:
        return invitation
    with changing(organization, invitation.opportunity_id) as case:
        own = case.invitation(invitation.pk)
        own.change(next_poll_at=Now())
        if hint.type == SUBMITTED and own.status in {Status.INVITED, Status.IN_PROGRESS}:
            own.move(Status.SUBMITTED, submitted_at=case.now, started_at=own.started_at or case.now)
        is_told = own.bounced_at is not None and own.bounced_at >= own.followed_since
        if hint.type == EMAIL_BOUNCED and own.status == Status.INVITED and not is_told:
            own.change(bounced_at=case.now)
    return own


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
    return end if now - since > timedelta(days=days_until(invitation.organization, end)) else None


def is_gone(invitation: Invitation, now: datetime) -> bool:
    """Whether CodeScreen has answered for so long that it doesn't have the instance that it is deleted for good."""
    since = invitation.missing_since
    return since is not None and now - since > timedelta(
        days=days_until(invitation.organization, FollowingEnd.GONE)
    )


def end_following(
    organization: Organization, invitation: Invitation, end: FollowingEnd, now: datetime
) -> None:
    """Record that CodeScreen is no longer asked, within the change of the candidate. Safe to run twice."""
    if invitation.following_ended:
        invitation.change(next_poll_at=None)
        return
    reason = f"{end_sentence(organization, end)} {NO_LONGER_ASKED}"
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
    with changing(invitation.organization, invitation.opportunity_id) as case:
        own = case.invitation(invitation.pk)
        if error.status == 404 and not own.stopped_by_user and own.polled_at == invitation.polled_at:
            own.change(missing_since=own.missing_since or case.now)
            if is_gone(own, case.now):
                end_following(case.organization, own, FollowingEnd.GONE, case.now)
                return
        Invitation.objects.filter(SCHEDULED, pk=own.pk).update(
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
    with call_log.recorded(), changing(invitation.organization, invitation.opportunity_id) as case:
        own = case.invitation(invitation.pk)
        if own.stopped_by_user or own.erased_at is not None:
            return PollOutcome.STOPPED
        if own.polled_at != known.polled_at:  # this answer may be the older one
            own.change(next_poll_at=Now())
            return PollOutcome.OVERTAKEN
        is_changed = record_progress(case, own, progress)
        own.change(raw_status=progress.status[:100], polled_at=case.now, poll_failures=0, missing_since=None)
        # else a webhook has made the invitation due during this poll
        if own.next_poll_at == known.next_poll_at:
            end = why_following_ends(own, case.now)
            if (
                own.status == Status.INVITED
                and (tag := unstarted_tag(own, end, case.now)) != own.unstarted_tag
            ):
                own.change(unstarted_tag=tag)
            if end:
                end_following(case.organization, own, end, case.now)
            else:
                goes_on: dict[str, object] = {"next_poll_at": next_poll(own), **FOLLOWING_GOES_ON}
                Invitation.objects.filter(pk=own.pk).update(**goes_on)
    return PollOutcome.CHANGED if is_changed else PollOutcome.UNCHANGED
