"""Record the progress and the results that CodeScreen reports, and enqueue what follows from them."""

import json
import logging
from collections.abc import Sequence
from functools import partial

from django.db import transaction

from integrations.catalog.models.role_mapping import rule_for
from integrations.codescreen.details import details_in
from integrations.codescreen.models import CodeScreenConnection
from integrations.codescreen.payloads import InstanceStatus, Progress
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.names import choose_progress_tag
from integrations.core.vocabulary import NOT_STATED, ResultOutcome, lower_first
from integrations.http.json_values import JsonObject
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.notifications.models.email_kind import EmailTopic, Fact, Link
from integrations.notifications.notify import (
    notify_members,
)
from integrations.outbox.kinds.feedback import WRITE_FEEDBACK, FeedbackPayload
from integrations.outbox.kinds.messages import ADD_REPORT_LINK, ReportLinkPayload
from integrations.outbox.kinds.move_stage import follow_result
from integrations.outbox.kinds.report_file import enqueue_report
from integrations.outbox.kinds.tags import SET_RESULT_TAG, enqueue_progress_tag, result_tag_of
from integrations.outbox.models.effect import Effect
from integrations.store import database

#: With the policy `rating_follows_result`, the highest rating of a stated Failed and the lowest of a stated Passed.
HIGHEST_OF_FAILED, LOWEST_OF_PASSED = 2, 3


def rate(progress: Progress, thresholds: Sequence[int], *, follows_result: bool) -> int | None:
    """Return the rating of a result, 1 to 4: one more for each threshold that the score reaches.

    Where it `follows_result`, a stated Failed or Passed bounds it. None without a score, whatever else is stated.
    """
    if progress.score is None:
        return None
    rating = 1 + sum(progress.score >= threshold for threshold in thresholds)
    if follows_result and progress.outcome == ResultOutcome.FAILED:
        return min(rating, HIGHEST_OF_FAILED)
    if follows_result and progress.outcome == ResultOutcome.PASSED:
        return max(rating, LOWEST_OF_PASSED)
    return rating


def rating_of(progress: Progress, invitation: Invitation) -> int | None:
    """Return the rating of an invitation's result, by the organization's policies."""
    organization = invitation.organization
    follows_result = organization.rating_follows_result
    return rate(progress, organization.rating_thresholds, follows_result=follows_result)


logger = logging.getLogger(__name__)


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


def enqueue_result_effects(invitation: Invitation, result: Result, is_same: bool) -> None:
    """Enqueue everything that a result leads to in Lever, and the e-mail where the result is new."""
    organization_id = invitation.organization_id
    number = _next_number(invitation)
    key = f"{invitation.pk}:{number}"
    progress_tag = choose_progress_tag(invitation.status, result.outcome)
    result_tag = result_tag_of(invitation, result, is_first=number == 1)
    # as one effect, unless a later round has the progress tag
    if not enqueue_progress_tag(invitation, progress_tag, result_tag) and result_tag is not None:
        SET_RESULT_TAG.enqueue(organization_id, key, result_tag, invitation=invitation)
    WRITE_FEEDBACK.enqueue(organization_id, key, FeedbackPayload(result.pk), invitation=invitation)
    if result.report_url:
        ADD_REPORT_LINK.enqueue(
            organization_id,
            f"{invitation.opportunity_id}:{result.report_url}",
            ReportLinkPayload(result.report_url),
            invitation=invitation,
        )
    enqueue_report(invitation, result, number)
    follow_result(invitation, result, key)
    if not is_same:
        _notify_result(invitation, result, number)


def _next_number(invitation: Invitation) -> int:
    """Return the number of the next feedback, which is part of the keys of what follows from a result."""
    return invitation.effects.filter(kind=Effect.Kind.WRITE_FEEDBACK).count() + 1


def _notify_result(invitation: Invitation, result: Result, number: int) -> None:
    facts = {
        "Assessment": invitation.assessment_name,
        "Result": lower_first(NOT_STATED) if result.said is None else result.headline,
        "Score": result.score_text,
        "Reason": result.failure_reason,
    }
    links = [Link("Report in CodeScreen", result.report_url)] if result.report_url else []
    notify_members(
        invitation.organization,
        EmailTopic.RESULT,
        f"{invitation.pk}:{result.attempt}:{number}",
        subject=f"{result.in_words} ({invitation.assessment_name})",
        lines=[*(Fact(label, value) for label, value in facts.items() if value), *links],
        invitation=invitation,
    )


def record_completion(invitation: Invitation, progress: Progress) -> bool:
    """Record a completed assessment and enqueue what follows from its result; False when nothing changed.

    What was read last counts, whatever number CodeScreen gives the attempt: one whose number is lower than ours is
    recorded under the next number.
    """
    latest = invitation.latest_result()
    is_material = invitation.status != Status.COMPLETED or is_material_change(invitation, progress, latest)
    stated = {
        "outcome": progress.outcome,
        "score": progress.score,
        "failure_reason": progress.failure_reason,
        "report_url": progress.report_url,
        "rating": rating_of(progress, invitation),
        "bar": _bar(invitation, progress) if latest is None or is_material else latest.bar,
    }
    is_same = latest is not None and all(
        getattr(latest, name) == value for name, value in stated.items() if name not in {"rating", "bar"}
    )
    is_new_attempt = latest is not None and progress.attempt is not None and progress.attempt > latest.attempt
    details = details_in(progress.metadata, invitation.candidate_name, invitation.email)
    if latest is not None and invitation.status == Status.COMPLETED and is_same and not is_new_attempt:
        return _record_details(invitation, latest, details)
    result, _ = Result.objects.update_or_create(
        invitation=invitation,
        attempt=_attempt(progress, latest),
        defaults=stated | {"details_json": _as_json(details)},
    )
    Candidate.objects.record_outcome(invitation, result.outcome)
    CodeScreenConnection.note_result(invitation.organization_id, bool(progress.outcome))
    now = database.now()
    completed_at = progress.evaluated_at or now
    invitation.move(
        Status.COMPLETED,
        started_at=invitation.started_at or progress.started_at,
        submitted_at=progress.submitted_at or invitation.submitted_at,
        completed_at=completed_at,
    )
    enqueue_result_effects(invitation, result, is_same)
    message = "invitation %s: result of attempt %s recorded"
    transaction.on_commit(partial(logger.info, message, invitation.pk, result.attempt))
    return True


def _bar(invitation: Invitation, progress: Progress) -> int | None:
    """Return the bar that a result is compared with; None without one, without a score, and where one is stated."""
    is_compared = progress.score is not None and not progress.outcome
    bar = rule_for(invitation.organization, invitation.mapping, "passing_score") if is_compared else None
    return None if bar is None else int(bar)


def _record_details(invitation: Invitation, result: Result, details: JsonObject) -> bool:
    """Record that CodeScreen says more of the same result now, and have it written; False when it doesn't."""
    if details == result.details:
        return False
    result.details_json = _as_json(details)
    result.save(update_fields=["details_json"])
    WRITE_FEEDBACK.enqueue(
        invitation.organization_id,
        f"{invitation.pk}:{_next_number(invitation)}",
        FeedbackPayload(result.pk),
        invitation=invitation,
    )
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


REOPENED = "CodeScreen opened it again."


def record_progress(invitation: Invitation, progress: Progress) -> bool:
    """Record what CodeScreen answered, inside the caller's transaction; False when nothing changed."""
    if progress.is_complete:
        return record_completion(invitation, progress)
    if progress.status == InstanceStatus.IN_PROGRESS:
        return _record_in_progress(invitation, progress)
    if progress.status == InstanceStatus.NOT_STARTED:
        return _record_not_started(invitation)
    logger.warning("invitation %s: CodeScreen's status is unknown to the portal", invitation.pk)
    return False


def _record_not_started(invitation: Invitation) -> bool:
    if invitation.status in {Status.INVITED, Status.WITHDRAWN}:
        return False
    if invitation.status == Status.COMPLETED:
        Candidate.objects.record_outcome(invitation, "")
    sent_anew: dict[str, object] = {"started_at": None, "submitted_at": None}
    invitation.move(Status.INVITED, REOPENED, **sent_anew, completed_at=None)
    enqueue_progress_tag(invitation, choose_progress_tag(invitation.status))
    return True


def _record_in_progress(invitation: Invitation, progress: Progress) -> bool:
    now = database.now()
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
    was_started = invitation.status in {Status.IN_PROGRESS, Status.SUBMITTED}
    started_at = progress.started_at or (invitation.started_at if not was_completed else None) or now
    if was_completed:
        Candidate.objects.record_outcome(invitation, "")
    reason = REOPENED if was_completed else ""
    invitation.move(status, reason, started_at=started_at, submitted_at=submitted_at, completed_at=None)
    if not was_started:
        enqueue_progress_tag(invitation, choose_progress_tag(invitation.status))
    return True
