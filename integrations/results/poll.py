"""Ask CodeScreen how far an invitation is, and record the progress and the result that it states.

By the clock, and when a webhook says that there is news. Source of the event types: the account's webhook extension
(Standard Webhooks), where an account has it.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from integrations.case.case import Case
from integrations.case.reconcile import changing
from integrations.catalog.models import rule_for
from integrations.clients import call_log
from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.details import details_in, screened_reason
from integrations.codescreen.models import CodeScreenConnection, mark_key_refused
from integrations.codescreen.payloads import InstanceStatus, Progress, WebhookHint
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.http.json_values import JsonObject
from integrations.http.session import CallDeferred, NotConnected, PlatformError
from integrations.http.steps import DISCONNECTED_RETRY, SHORTEST_WAIT, Conflict, deferral, run_step
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.results.schedule import plan_next, postpone, postpone_uncalled

logger = logging.getLogger(__name__)

SUBMITTED, EMAIL_BOUNCED = "candidate.submitted", "candidate.email_bounced"
REOPENED = "CodeScreen opened it again."
#: With the policy `rating_follows_result`, the highest rating of a stated Failed or of a score below the organization's
#: bar, and the lowest of a stated Passed or of a score that meets the bar.
HIGHEST_BELOW, LOWEST_ABOVE = 2, 3


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
            plan_next(own, case.now)
    return PollOutcome.CHANGED if is_changed else PollOutcome.UNCHANGED


def record_progress(case: Case, invitation: Invitation, progress: Progress) -> bool:
    """Record what CodeScreen answered, within the change of the candidate; False when nothing changed."""
    if progress.is_complete:
        return record_completion(case, invitation, progress)
    if progress.status == InstanceStatus.IN_PROGRESS:
        return _record_in_progress(invitation, progress, case.now)
    if progress.status == InstanceStatus.NOT_STARTED:
        return _record_not_started(invitation)
    logger.warning("invitation %s: CodeScreen's status is unknown to the portal", invitation.pk)
    return False


def _record_not_started(invitation: Invitation) -> bool:
    if invitation.status in {Status.INVITED, Status.WITHDRAWN}:
        return False
    sent_anew: dict[str, object] = {"started_at": None, "submitted_at": None}
    invitation.move(Status.INVITED, REOPENED, **sent_anew, completed_at=None)
    return True


def _record_in_progress(invitation: Invitation, progress: Progress, now: datetime) -> bool:
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
    started_at = progress.started_at or (invitation.started_at if not was_completed else None) or now
    reason = REOPENED if was_completed else ""
    invitation.move(status, reason, started_at=started_at, submitted_at=submitted_at, completed_at=None)
    return True


def is_material_change(invitation: Invitation, progress: Progress, latest: Result | None) -> bool:
    """Whether a result differs from the latest one in what a person decides by.

    True for another outcome, score or failure reason, however small the difference, and for a new submission; not for
    another report link or attempt number alone.
    """
    submitted_at = progress.submitted_at
    if submitted_at and invitation.submitted_at and submitted_at > invitation.submitted_at:
        return True
    return latest is None or (latest.outcome, latest.score, latest.failure_reason) != (
        progress.outcome,
        progress.score,
        progress.failure_reason,
    )


def record_completion(case: Case, invitation: Invitation, progress: Progress) -> bool:
    """Record a completed assessment; False when nothing changed.

    What was read last counts, whatever number CodeScreen gives the attempt: one whose number is lower than ours is
    recorded under the next number.
    """
    latest = case.results.get(invitation.pk)
    person = (invitation.candidate_name, invitation.email)
    progress = replace(progress, failure_reason=screened_reason(progress.failure_reason, *person))
    is_material = invitation.status != Status.COMPLETED or is_material_change(invitation, progress, latest)
    stated = {
        "outcome": progress.outcome,
        "score": progress.score,
        "failure_reason": progress.failure_reason,
        "report_url": progress.report_url,
        "bar": _bar(invitation, progress) if latest is None or is_material else latest.bar,
    }
    is_same = latest is not None and all(
        getattr(latest, name) == value for name, value in stated.items() if name != "bar"
    )
    is_new_attempt = latest is not None and progress.attempt is not None and progress.attempt > latest.attempt
    details = details_in(progress.metadata, *person)
    if latest is not None and invitation.status == Status.COMPLETED and is_same and not is_new_attempt:
        return _record_details(latest, details)
    stated["rating"] = rating_of(Result(**stated), invitation.organization)
    result, _ = Result.objects.update_or_create(
        invitation=invitation,
        attempt=_attempt(progress, latest),
        defaults=stated | {"details_json": _as_json(details)},
    )
    case.results[invitation.pk] = result
    CodeScreenConnection.note_result(invitation.organization_id, bool(progress.outcome))
    invitation.move(
        Status.COMPLETED,
        started_at=invitation.started_at or progress.started_at,
        submitted_at=progress.submitted_at or invitation.submitted_at,
        completed_at=progress.evaluated_at or case.now,
    )
    message = "invitation %s: result of attempt %s recorded"
    transaction.on_commit(partial(logger.info, message, invitation.pk, result.attempt))
    return True


def _bar(invitation: Invitation, progress: Progress) -> int | None:
    """Return the bar that a result is compared with; None without one, without a score, and where one is stated."""
    is_compared = progress.score is not None and not progress.outcome
    bar = rule_for(invitation.organization, invitation.mapping, "passing_score") if is_compared else None
    return None if bar is None else int(bar)


def _record_details(result: Result, details: JsonObject) -> bool:
    """Record that CodeScreen says more of the same result now; False when it doesn't."""
    if details == result.details:
        return False
    result.details_json = _as_json(details)
    result.save(update_fields=["details_json"])
    return True


def _as_json(details: JsonObject) -> str:
    return json.dumps(details, ensure_ascii=False) if details else ""


def _attempt(progress: Progress, latest: Result | None) -> int:
    """Return the number under which a result is recorded: CodeScreen's, unless ours is higher already."""
    if latest is None:
        return progress.attempt or 1
    if progress.attempt is not None and progress.attempt >= latest.attempt:
        return progress.attempt
    return latest.attempt + 1


def rate(result: Result, thresholds: Sequence[int], *, follows_result: bool) -> int | None:
    """Return the rating of a result, 1 to 4: one more for each threshold that the score reaches.

    Where it `follows_result`, what was said bounds it: Passed or Failed, else the bar. None without a score, whatever
    else is stated.
    """
    if result.score is None:
        return None
    rating = 1 + sum(result.score >= threshold for threshold in thresholds)
    if not follows_result or result.counts_as_pass is None:
        return rating
    return max(rating, LOWEST_ABOVE) if result.counts_as_pass else min(rating, HIGHEST_BELOW)


def rating_of(result: Result, organization: Organization) -> int | None:
    """Return the rating of a result, by the organization's policies."""
    follows_result = organization.rating_follows_result
    return rate(result, organization.rating_thresholds, follows_result=follows_result)
