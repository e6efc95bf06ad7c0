"""CodeScreen → progress and results. Webhook and poll are two bells on one road: ask, record what changed."""

import logging
import random
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import IN_PROGRESS, NOT_STARTED, Progress, WebhookHint
from integrations.http.errors import PlatformError
from integrations.models import Effect, EmailKind, Invitation, Organization, Result, db_clock
from integrations.models.invitation import Status
from integrations.workflow.effects import move_stage
from integrations.workflow.email.links import candidate_link
from integrations.workflow.email.notify import notify_members
from integrations.workflow.outbox import enqueue
from integrations.workflow.results import manual_review
from integrations.workflow.results.polling import next_poll, postpone
from integrations.workflow.rules.decide import PROGRESS_TAGS, TAG_WORD, normalized

logger = logging.getLogger(__name__)

#: Failure reasons that are worse than any score (decision 33 of the wire contract).
RATED_ONE = {"expired", "build failure", "build timeout"}


def rate(progress: Progress, thresholds: tuple[int, int, int]) -> int | None:
    """Return the rating 1 to 4 of a result, None when nothing states one."""
    if progress.score is not None:
        return 1 + sum(progress.score >= threshold for threshold in thresholds)
    is_worst = progress.outcome == "Expired" or progress.failure_reason.casefold() in RATED_ONE
    return 1 if is_worst else None


def apply_hint(organization: Organization, hint: WebhookHint) -> Invitation | None:
    """Ask CodeScreen soon about the invitation a webhook is about; the invitation, None when it isn't ours.

    One that a person stopped following isn't asked about.

    A webhook that carries our external id also tells that an uncertain invitation did arrive, though a person has
    asked meanwhile that it be sent again.
    """
    rows = Invitation.objects.filter(organization=organization)
    invitation = rows.filter(instance_id=hint.instance_id).first() if hint.instance_id else None
    if invitation is None and hint.external_id and hint.instance_id:
        invitation = next(
            (row for row in _waiting(rows, hint.external_id) if row.external_id == hint.external_id), None
        )
        if invitation is not None:
            mark_invited(invitation, hint.instance_id)
    if invitation is None or invitation.stopped_by_user:
        return invitation
    Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=Now())
    if hint.type == "candidate.submitted":
        _record_submission(invitation)
    if hint.type == "candidate.email_bounced":
        notify_members(
            organization,
            f"bounced:{invitation.pk}",
            "An invitation bounced",
            [
                f"“{invitation.assessment_name}” could not be delivered: the e-mail address doesn't exist.",
                f"Correct it in Lever and invite again: {candidate_link(invitation)}",
            ],
            invitation=invitation,
        )
    return invitation


def _record_submission(invitation: Invitation) -> None:
    """Record what only a webhook tells; CodeScreen goes on answering In_Progress, which then changes nothing more."""
    now = db_clock.now()
    with transaction.atomic():
        invitation = _locked(invitation)
        was_started = invitation.status == Status.IN_PROGRESS
        if not was_started and invitation.status != Status.INVITED:
            return
        invitation.move(Status.SUBMITTED, submitted_at=now, started_at=invitation.started_at or now)
        if not was_started:  # the news of the start comes later, or never
            enqueue.enqueue_progress_tag(invitation, PROGRESS_TAGS["in_progress"])


def _waiting(rows: Any, external_id: str) -> Any:
    # of those that are about to be sent there may be very many
    again = Q(status=Status.PENDING, opportunity_id__in=external_id.split(":"))
    return rows.filter(again | Q(status__in=[Status.SENDING, Status.UNCERTAIN]), instance_id="")


def mark_invited(invitation: Invitation, instance_id: str) -> None:
    """Record that CodeScreen has invited the person; asks for the progress tag."""
    with transaction.atomic():
        now = db_clock.now()
        first = now + timedelta(seconds=settings.POLL_NOT_STARTED_SECONDS) * random.uniform(0.2, 1.0)  # noqa: S311
        invitation.move(
            Status.INVITED, instance_id=instance_id, invited_at=now, next_poll_at=first, poll_failures=0
        )
        Effect.objects.filter(
            invitation=invitation, kind=Effect.Kind.SEND_INVITATION, state=Effect.State.UNCERTAIN
        ).update(state=Effect.State.DONE, done_at=Now(), last_error="")
        enqueue.enqueue_progress_tag(invitation, PROGRESS_TAGS["invited"])


def refresh_progress(invitation: Invitation, codescreen: CodeScreenClient) -> bool:
    """Ask CodeScreen how an invitation stands and record what changed; whether anything did.

    Safe to run twice. Raises PlatformError after recording when to ask again.
    """
    known = Invitation.objects.only("polled_at", "next_poll_at").get(pk=invitation.pk)
    try:
        progress = codescreen.status(invitation.instance_id)
    except PlatformError as error:
        postpone(invitation, error)
        raise
    with transaction.atomic():
        invitation = _locked(invitation)
        if invitation.stopped_by_user:
            return False
        if invitation.polled_at != known.polled_at:
            # another answer was recorded after we asked: ours may be from before it, so ask again
            Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=Now())
            return False
        is_ours_to_say = invitation.next_poll_at == known.next_poll_at  # else somebody has said it meanwhile
        changed = _record(invitation, progress)
        now = db_clock.now()
        answer: dict[str, Any] = {"raw_status": progress.status[:100], "polled_at": now, "poll_failures": 0}
        if is_ours_to_say:
            answer["next_poll_at"] = next_poll(invitation, now)
        Invitation.objects.filter(pk=invitation.pk).update(**answer)
    return changed


def _locked(invitation: Invitation) -> Invitation:
    """Return the invitation as it is now, nobody else's to change until the transaction's end."""
    return Invitation.objects.select_related("organization").locked().get(pk=invitation.pk)


def _record(invitation: Invitation, progress: Progress) -> bool:
    if progress.is_complete:
        return _complete(invitation, progress)
    if progress.status == IN_PROGRESS:
        return _in_progress(invitation, progress)
    if progress.status == NOT_STARTED:
        return _not_started(invitation)
    logger.warning("invitation %s: CodeScreen's status isn't one the portal knows", invitation.pk)
    return False


def _not_started(invitation: Invitation) -> bool:
    if invitation.status in {Status.INVITED, Status.WITHDRAWN}:
        return False
    invitation.move(
        Status.INVITED, "CodeScreen opened it again.", started_at=None, submitted_at=None, completed_at=None
    )
    enqueue.enqueue_progress_tag(invitation, PROGRESS_TAGS["invited"])
    return True


def _in_progress(invitation: Invitation, progress: Progress) -> bool:
    now = db_clock.now()
    was_completed = invitation.status == Status.COMPLETED
    submitted_at = progress.submitted_at
    if was_completed and submitted_at and invitation.completed_at and submitted_at <= invitation.completed_at:
        submitted_at = None  # that is the earlier attempt's
    if submitted_at:
        status = Status.SUBMITTED
    elif invitation.status == Status.SUBMITTED:
        return False  # only a webhook tells of the submission; CodeScreen goes on saying In_Progress
    else:
        status = Status.IN_PROGRESS
    if invitation.status == status:
        return False
    was_started = invitation.status in {Status.IN_PROGRESS, Status.SUBMITTED}
    started_at = progress.started_at or (invitation.started_at if not was_completed else None) or now
    reason = "CodeScreen opened it again." if was_completed else ""
    invitation.move(status, reason, started_at=started_at, submitted_at=submitted_at, completed_at=None)
    if not was_started:
        enqueue.enqueue_progress_tag(invitation, PROGRESS_TAGS["in_progress"])
    return True


def _complete(invitation: Invitation, progress: Progress) -> bool:
    latest = invitation.results.order_by("-attempt").first()
    stated = {
        "outcome": progress.outcome,
        "score": progress.score,
        "failure_reason": progress.failure_reason,
        "report_url": progress.report_url,
        "rating": rate(progress, invitation.organization.rating_thresholds),
    }
    is_same = latest is not None and all(
        getattr(latest, name) == value for name, value in stated.items() if name != "rating"
    )
    is_new_attempt = latest is not None and progress.attempt is not None and progress.attempt > latest.attempt
    if invitation.status == Status.COMPLETED and is_same and not is_new_attempt:
        return False
    attempt = progress.attempt or (latest.attempt + 1 if latest else 1)
    result, created = Result.objects.get_or_create(
        invitation=invitation, attempt=attempt, defaults=stated | {"metadata": progress.metadata}
    )
    if not created and not is_same:
        Result.objects.filter(pk=result.pk).update(**stated, metadata=progress.metadata)
        result.refresh_from_db()
    is_news = invitation.status != Status.COMPLETED or manual_review.is_material_change(
        invitation, progress, latest
    )
    now = db_clock.now()
    completed_at = progress.evaluated_at or now
    invitation.move(
        Status.COMPLETED,
        started_at=invitation.started_at or progress.started_at,
        submitted_at=progress.submitted_at or invitation.submitted_at,
        completed_at=completed_at,
    )
    _enqueue_lever_writes(invitation, result, is_same)
    if is_news:
        manual_review.flag_for_review(invitation, result)
    return True


def _enqueue_lever_writes(invitation: Invitation, result: Result, is_same: bool) -> None:
    organization = invitation.organization
    tag = PROGRESS_TAGS["expired" if result.outcome == Result.Outcome.EXPIRED else "completed"]
    enqueue.enqueue_progress_tag(invitation, tag)
    count = invitation.effects.filter(kind=Effect.Kind.WRITE_FEEDBACK).count()
    enqueue.enqueue(
        organization,
        Effect.Kind.WRITE_FEEDBACK,
        f"{invitation.pk}:{count + 1}",
        invitation=invitation,
        payload={"result": result.pk},
        priority=4,
    )
    if result.report_url:
        enqueue.enqueue(
            organization,
            Effect.Kind.ADD_REPORT_LINK,
            f"{invitation.opportunity_id}:{result.report_url}",
            invitation=invitation,
            payload={"url": result.report_url},
            priority=4,
        )
    _enqueue_result_tag(invitation, result, count + 1)
    move_stage.follow_result(invitation, result, count + 1)
    if is_same:
        return
    score = "no score" if result.score is None else f"score {result.score}"
    stated = result.outcome or "result not stated by CodeScreen"
    reason = f" ({result.failure_reason})" if result.failure_reason else ""
    notify_members(
        organization,
        f"result:{invitation.pk}:{result.attempt}:{count + 1}",
        f"CodeScreen result: {invitation.assessment_name}",
        [
            f"{invitation.candidate_name or 'A candidate'}: {stated}{reason}, {score}.",
            f"Report: {result.report_url}" if result.report_url else "CodeScreen gave no report link.",
            f"Timeline: {candidate_link(invitation)}",
        ],
        kind=EmailKind.RESULT,
        variables={
            "candidate": invitation.candidate_name or "A candidate",
            "outcome": result.outcome or "not stated by CodeScreen",
            "score": "" if result.score is None else str(result.score),
            "reason": result.failure_reason,
            "report_link": result.report_url,
        },
        invitation=invitation,
    )


def _enqueue_result_tag(invitation: Invitation, result: Result, number: int) -> None:
    """Ask for the customer's own tag for what CodeScreen states; nothing stated takes both off again."""
    organization = invitation.organization
    tags = {
        Result.Outcome.PASSED.value: result_tag(organization.passed_tag, invitation.assessment_name),
        Result.Outcome.FAILED.value: result_tag(organization.failed_tag, invitation.assessment_name),
    }
    given = tags.get(result.outcome, "")
    others = sorted({tag for tag in tags.values() if tag} - {given})
    if given or (others and number > 1):
        enqueue.enqueue(
            organization,
            Effect.Kind.SET_RESULT_TAG,
            f"{invitation.pk}:{number}",
            invitation=invitation,
            payload={"tag": given, "others": others},
            priority=4,
        )


def result_tag(written: str, assessment_name: str) -> str:
    """Return the tag as it is added in Lever; empty where it would read as one of the portal's own."""
    tag = " ".join(written.replace("{assessment}", assessment_name).split())[:100]
    return "" if normalized(tag).startswith(normalized(TAG_WORD)) else tag
