"""Poll CodeScreen about one invitation, and record what changed."""

import logging
from datetime import datetime, timedelta
from enum import Enum

from django.db.models.functions import Now

from integrations.clients import call_log
from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient
from integrations.http.errors import CallDeferred, NotConnected, PlatformError
from integrations.models import Invitation, db_clock
from integrations.models.invitation import FOLLOWING_GOES_ON
from integrations.workflow.catalog import sync
from integrations.workflow.outbox.outcome import Conflict, Crash, run_step
from integrations.workflow.outbox.retry_policy import DISCONNECTED_RETRY, deferral
from integrations.workflow.results.following import end_following, why_following_ends
from integrations.workflow.results.poll_schedule import next_poll, postpone, postpone_uncalled
from integrations.workflow.results.recording import record_progress

logger = logging.getLogger(__name__)


class PollOutcome(Enum):
    """How one poll ended."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STOPPED = "stopped"  # a person stopped following the invitation, or the candidate's data was erased
    OVERTAKEN = "overtaken"  # another answer was recorded during this poll; the invitation is polled again
    POSTPONED = "postponed"  # there was no answer, or it could not be recorded


def poll(invitation: Invitation, clients: ClientProvider) -> PollOutcome:
    """Poll one claimed invitation; raises nothing for what CodeScreen or a bug did."""
    result = run_step(lambda: refresh_progress(invitation, clients.codescreen()))
    match result:
        case NotConnected():
            postpone_uncalled(invitation, DISCONNECTED_RETRY)
        case CallDeferred():
            postpone_uncalled(invitation, deferral(result))
        case Conflict():
            postpone_uncalled(invitation, timedelta(0))
        case PlatformError():
            logger.info("invitation %s: %s", invitation.pk, result)
            postpone(invitation, result)
            if result.status == 401:
                sync.mark_key_refused(invitation.organization, str(result))
        case Crash():  # the claim has set the time of the next poll
            logger.error("invitation %s could not be polled\n%s", invitation.pk, result.traceback)
        case PollOutcome():
            return result
    return PollOutcome.POSTPONED


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
        now = db_clock.now()
        Invitation.objects.filter(pk=invitation.pk).update(
            raw_status=progress.status[:100], polled_at=now, poll_failures=0, missing_since=None
        )
        # else a webhook has made the invitation due during this poll
        if invitation.next_poll_at == known.next_poll_at:
            _schedule_or_end(invitation, now)
    return PollOutcome.CHANGED if is_changed else PollOutcome.UNCHANGED


def _schedule_or_end(invitation: Invitation, now: datetime) -> None:
    """Schedule the next poll of an invitation that was just polled, or end following it."""
    if end := why_following_ends(invitation, now):
        end_following(invitation, end)
        return
    Invitation.objects.filter(pk=invitation.pk).update(
        next_poll_at=next_poll(invitation, now), **FOLLOWING_GOES_ON
    )
