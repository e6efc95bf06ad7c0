"""What Lever is to show of a candidate, and what the team is told: one pure function of the case, without I/O."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from integrations.case.case import Case
from integrations.case.texts import (
    MORE_MAY_FOLLOW,
    advice_note,
    bounced_note,
    cancelled_note,
    ended_note,
    note_on,
    pause_note,
    regraded,
    result_lines,
    skipped_note,
    wait_note,
)
from integrations.catalog.models import rule_for
from integrations.core.invitation_status import FOLLOWED, NO_RESULT, FollowingEnd
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.names import choose_progress_tag, choose_result_tag
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import lower_first
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.notifications.models.email_kind import EmailTopic, Line
from integrations.notifications.notices import Condition, InvitationUnchanged, ResultUnchanged
from integrations.organizations.models.policies import TOLD_AFTER
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import (
    AttachReportPayload,
    FeedbackPayload,
    MoveStagePayload,
    Payload,
    ProgressTagPayload,
    ReportLinkPayload,
    ResultTagPayload,
)

#: The statuses of invitations that a note tells of.
WAITING_STATUSES = tuple(status for status in Status if status.record.wait_note)
#: After all else that one candidate or organization waits for.
LAST = 9
#: In an outage hundreds may fail in minutes; the list of candidates who need attention has them all.
SAME_PROBLEM_EVERY = timedelta(minutes=30)


@dataclass(frozen=True)
class Want:
    """One thing that Lever is to have: `about` names its place, such as the progress tag, `version` what it says.

    The same version isn't written again; one that is wanted `once` never, whatever came between. An event is enqueued
    only by a change before which it wasn't wanted: a rule that is switched on later reaches nobody from before, and
    the passing of time alone brings no event about.
    """

    kind: Effect.Kind
    about: str
    version: str
    payload: Payload
    invitation: Invitation | None = None
    delivery: Delivery | None = None
    once: bool = False
    is_event: bool = False
    priority: int | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.kind, self.about, self.version


@dataclass(frozen=True)
class Message:
    """What members are told of an invitation, once, when a change brings it about; see `notify_members`."""

    topic: EmailTopic
    version: str
    subject: str
    lines: tuple[Line, ...]
    invitation: Invitation
    holds_while: Condition | None = None
    at_most_every: timedelta | None = None

    @property
    def identity(self) -> tuple[str, int, str]:
        return self.topic, self.invitation.pk, self.version


@dataclass(frozen=True)
class Wanted:
    """All that a case asks for, in the order in which it is enqueued."""

    effects: list[Want] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


def wanted(case: Case) -> Wanted:
    """Return what Lever is to have of the candidate, and what members are told. It reads and writes nothing."""
    everything = Wanted()
    everything.effects.extend(_notes_of_candidate(case))
    everything.effects.extend(_progress_tag(case))
    for invitation in case.invitations:
        result = case.results.get(invitation.pk)
        # of an erased one too: who returns after the retention brings no news of then
        if result is not None and invitation.status == Status.COMPLETED:
            everything.messages.extend(_messages_of_result(case, invitation, result))
        if invitation.erased_at is not None:
            continue
        everything.effects.extend(_notes(case, invitation))
        everything.messages.extend(_messages(case, invitation))
        if result is not None:
            everything.effects.extend(_result_tag(case, invitation, result))
            # what else Lever shows of a result stays while the assessment is open again
            if invitation.status == Status.COMPLETED:
                everything.effects.extend(_of_result(case, invitation, result))
    return everything


def wait_of(invitation: Invitation) -> str:
    """Return what the note is about that tells of an invitation that waits."""
    return f"wait:{invitation.pk}"


def _progress_tag(case: Case) -> Iterator[Want]:
    """Yield the one tag of who was sent something. One that was cancelled leaves the tag as it was."""
    invitation = case.shown_invitation()
    if invitation is None:
        return
    result = case.results.get(invitation.pk)
    outcome = result.outcome if result and invitation.status == Status.COMPLETED else ""
    status = Status.INVITED if invitation.status == Status.WITHDRAWN else invitation.status
    tag = invitation.unstarted_tag or choose_progress_tag(status, outcome)
    # the same tag of a later invitation is set anew: rows that a restore lost may have set another one meanwhile
    version = f"{invitation.pk}:{tag}"
    yield Want(Effect.Kind.SET_PROGRESS_TAG, "progress_tag", version, ProgressTagPayload(tag), invitation)


def _of_result(case: Case, invitation: Invitation, result: Result) -> Iterator[Want]:
    said = version_of(result)
    about = f"feedback:{invitation.pk}"
    yield Want(
        Effect.Kind.WRITE_FEEDBACK,
        about,
        _digest(said, result.details_json),
        FeedbackPayload(result.pk),
        invitation,
    )
    if result.report_url:
        link = ReportLinkPayload(result.report_url)
        version = _digest(result.report_url)
        about = f"link:{invitation.pk}"
        yield Want(Effect.Kind.ADD_REPORT_LINK, about, version, link, invitation, once=True)
    if case.organization.attach_report:
        yield _report_file(case, invitation, result, said)
    yield from _move(case, invitation, result, said)
    if (note := regraded(case, invitation, result)) is not None:
        yield _note(invitation, "regraded", said, note.in_lever)


def _report_file(case: Case, invitation: Invitation, result: Result, said: str) -> Want:
    about = f"report:{invitation.pk}"
    number = len(case.effects_about(Effect.Kind.ATTACH_REPORT, about)) + 1
    payload = AttachReportPayload(result.pk, f"{report_stem(invitation)}{number}.pdf")
    return Want(Effect.Kind.ATTACH_REPORT, about, said, payload, invitation, is_event=True)


def report_stem(invitation: Invitation) -> str:
    """Return how the names of an invitation's files begin."""
    return f"codescreen-report-{invitation.reference}-"


def result_tag_of(assessment_id: str) -> str:
    """Return what the customer's tag for a result of an assessment is about."""
    return f"result_tag:{_digest(assessment_id)}"


def _result_tag(case: Case, invitation: Invitation, result: Result) -> Iterator[Want]:
    """Yield the customer's own tag for what is said of the latest round; both are removed when neither is said."""
    if any(later.pk in case.results for later in case.later_rounds(invitation)):
        return
    rules, kind = case.organization, Effect.Kind.SET_RESULT_TAG
    tags = {
        True: choose_result_tag(rules.passed_tag, invitation.assessment_name),
        False: choose_result_tag(rules.failed_tag, invitation.assessment_name),
    }
    given = tags[result.counts_as_pass] if result.counts_as_pass is not None else ""
    others = sorted({tag for tag in tags.values() if tag} - {given})
    about = result_tag_of(invitation.assessment_id)
    # nothing is removed alone where no tag can have been set before; rows that a restore lost may have set one
    is_first = invitation.round == 1 and result.attempt == 1 and not case.effects_about(kind, about)
    if given or (others and (not is_first or rules.rows_lost_from)):
        version = f"{invitation.pk}:{result.said or ''}"
        yield Want(kind, about, version, ResultTagPayload(given, others), invitation)


def stage_on_pass(invitation: Invitation) -> str:
    """Return the stage to which the rules move those who passed or meet the bar; empty for none."""
    return str(rule_for(invitation.organization, invitation.mapping, "stage_on_pass"))


def _move(case: Case, invitation: Invitation, result: Result, said: str) -> Iterator[Want]:
    """Yield the move of who passed, or meets the bar, and completed it. Its step leaves out who was moved before."""
    stage = stage_on_pass(invitation)
    is_passed = invitation.status == Status.COMPLETED and result.counts_as_pass
    if stage and is_passed and not case.is_overtaken(invitation):
        about = f"move:{invitation.pk}"
        yield Want(Effect.Kind.MOVE_STAGE, about, said, MoveStagePayload(stage), invitation, is_event=True)


def _notes_of_candidate(case: Case) -> Iterator[Want]:
    """Yield the notes that are about no invitation: why nothing was sent, and that somebody waits for a pause."""
    decided, delivery = case.decided, case.waits_for_pause
    if decided is not None and decided.verdict.record.leaves_note and case.organization.note_on_skip:
        payload = note_on(case.opportunity_id, skipped_note(decided), decided.verdict)
        about = f"note:{decided.verdict}"
        yield Want(
            Effect.Kind.LEAVE_NOTE, about, "", payload, delivery=decided.delivery, once=True, is_event=True
        )
    if delivery is not None:
        payload = note_on(case.opportunity_id, pause_note(case.organization.pause), VerdictCode.PAUSED)
        yield Want(
            Effect.Kind.LEAVE_NOTE,
            "wait:pause",
            str(delivery.pk),
            payload,
            delivery=delivery,
            once=True,
            priority=LAST,
        )


def _notes(case: Case, invitation: Invitation) -> Iterator[Want]:
    since, pk = invitation.changed_at.isoformat(), invitation.pk
    is_waiting = invitation.status in WAITING_STATUSES and case.now - invitation.changed_at > TOLD_AFTER
    if is_waiting and case.organization.note_on_wait:
        payload = note_on(case.opportunity_id, wait_note(invitation), invitation.status)
        kind, about = Effect.Kind.LEAVE_NOTE, wait_of(invitation)
        version = f"{invitation.status}:{since}"
        yield Want(kind, about, version, payload, invitation, once=True, priority=LAST)
    if not case.organization.note_on_skip:
        return
    if invitation.status == Status.FAILED and (advice := case.advice.get(pk)):
        yield _note(invitation, "failed", since, advice_note(invitation, advice))
    if invitation.status == Status.WITHDRAWN and _is_cancelling_told(case, invitation):
        yield _note(invitation, "cancelled", since, cancelled_note(invitation))
    bounced_at = invitation.bounced_at
    if bounced_at and invitation.status == Status.INVITED and bounced_at >= invitation.followed_since:
        yield _note(invitation, "bounced", bounced_at.isoformat(), bounced_note(invitation))
    if invitation.following_ended and invitation.status in FOLLOWED:
        version = _end_of(invitation)
        yield _note(invitation, "ended", version, ended_note(case.organization, invitation))


def _is_cancelling_told(case: Case, invitation: Invitation) -> bool:
    """Whether a note tells of it: a person cancelled, or the candidate has the invitation and left the stage."""
    is_archived = case.decided is not None and case.decided.verdict == VerdictCode.ARCHIVED
    return invitation.stopped_by_user or (bool(invitation.instance_id) and not is_archived)


def _note(invitation: Invitation, what: str, version: str, text: str) -> Want:
    payload = note_on(invitation.opportunity_id, text, what)
    about = f"{what}:{invitation.pk}"
    return Want(Effect.Kind.LEAVE_NOTE, about, version, payload, invitation, once=True, is_event=True)


def _messages(case: Case, invitation: Invitation) -> Iterator[Message]:
    named, since = f"“{invitation.assessment_name}”", invitation.changed_at.isoformat()
    if invitation.status == Status.UNCERTAIN:
        yield Message(
            EmailTopic.INVITATION_UNCERTAIN,
            since,
            "the invitation was possibly sent",
            (
                f"{named}: {invitation.status_reason}",
                "Check in CodeScreen whether it was sent. Then say so on the candidate's page.",
                MORE_MAY_FOLLOW,
            ),
            invitation,
            InvitationUnchanged.of(invitation),
            SAME_PROBLEM_EVERY,
        )
    if invitation.status == Status.FAILED:
        yield Message(
            EmailTopic.INVITATION_FAILED,
            since,
            "the invitation could not be sent",
            (f"{named}: {invitation.status_reason}", MORE_MAY_FOLLOW),
            invitation,
            InvitationUnchanged.of(invitation),
            SAME_PROBLEM_EVERY,
        )
    if invitation.following_ended and invitation.status in FOLLOWED:
        end = FollowingEnd(invitation.following_ended)
        yield Message(
            EmailTopic.FOLLOWING_ENDED,
            _end_of(invitation),
            f"no result: {lower_first(end.label)}",
            (f"{named}: {invitation.following_ended_reason}", NO_RESULT.next_step),
            invitation,
            InvitationUnchanged.of(invitation),
        )


def _messages_of_result(case: Case, invitation: Invitation, result: Result) -> Iterator[Message]:
    unchanged = ResultUnchanged.of(result)
    yield Message(
        EmailTopic.RESULT,
        unchanged.says,
        f"{result.in_words} ({invitation.assessment_name})",
        result_lines(invitation, result),
        invitation,
        unchanged,
    )
    if (told := regraded(case, invitation, result)) is not None:
        yield Message(
            EmailTopic.RESULT_CHANGED,
            version_of(result),
            "the result changed after the move",
            told.to_members,
            invitation,
            unchanged,
        )


def version_of(result: Result) -> str:
    """Return what is equal for results that say the same, in what a person reads of them in Lever."""
    return _digest(
        result.pk,
        result.outcome,
        result.score_text,
        result.failure_reason,
        result.report_url,
        result.rating,
        result.bar,
    )


def _end_of(invitation: Invitation) -> str:
    ended_at = invitation.following_ended_at or invitation.followed_since
    return f"{invitation.following_ended}:{ended_at.isoformat()}"


def _digest(*values: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, values)).encode()).hexdigest()[:20]
