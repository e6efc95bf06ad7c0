"""What happened to one candidate, as sentences for people: the newest first, a line each."""

from collections.abc import Iterator
from itertools import chain

from integrations.invitation_status import InvitationStatus
from integrations.lever.payloads import StageChange
from integrations.models import Delivery, Effect, Invitation, Result, Verdict
from integrations.pages.candidate.action_sentences import action_event
from integrations.pages.candidate.card import NOT_STATED, look_of
from integrations.pages.candidate.event import Event
from integrations.pages.candidate.outages import outage_events
from integrations.pages.candidate.rows import CandidateRows
from integrations.verdict_code import ABOUT_NO_CANDIDATE, INVITING_VERDICTS, VerdictCode
from integrations.vocabulary import DeliveryEvent, Tone
from integrations.workflow.effects.registry import kind_of

#: Lever's events other than stage changes that say something about the candidate.
_LEVER_EVENTS = {
    "candidateDeleted": ("Deleted in Lever", "trash"),
    "candidateArchiveChange": ("Archived or unarchived in Lever", "list"),
    "candidateHired": ("Hired in Lever", "check"),
}


def events(rows: CandidateRows) -> list[Event]:
    """Return what happened, the newest first."""
    found = chain(
        (event for one in rows.deliveries for event in _of_delivery(rows, one)),
        (event for verdict in rows.verdicts for event in _of_verdict(verdict)),
        (event for invitation in rows.invitations for event in _of_invitation(rows, invitation)),
        (event for effect in rows.effects for event in _of_effect(effect)),
        map(action_event, rows.actions),
        outage_events(rows),
    )
    return sorted(found, key=lambda event: event.at, reverse=True)


def _of_delivery(rows: CandidateRows, delivery: Delivery) -> Iterator[Event]:
    if delivery.platform != Delivery.Platform.LEVER:
        return
    if delivery.event in {DeliveryEvent.STAGE_CHANGE, DeliveryEvent.SWEEP}:
        stage_id = StageChange.from_payload(delivery.payload).to_stage_id
        name = rows.stage_names.get(stage_id, "")
        stage = f"“{name}”" if name else "another stage"
        text = f"Moved into {stage} in Lever"
        if delivery.event == DeliveryEvent.SWEEP:
            text = f"Found in {stage} when comparing with Lever"
        yield Event(delivery.received_at, text, icon="play")
    elif delivery.event in _LEVER_EVENTS:
        text, icon = _LEVER_EVENTS[delivery.event]
        yield Event(delivery.received_at, text, icon=icon)


def _of_verdict(verdict: Verdict) -> Iterator[Event]:
    if verdict.code in ABOUT_NO_CANDIDATE:
        return
    if verdict.code == VerdictCode.INVITE:
        yield Event(verdict.decided_at, "Decided to invite", verdict.explanation, icon="check")
    elif verdict.code in INVITING_VERDICTS:
        yield Event(
            verdict.decided_at, verdict.explanation or verdict.record.label, icon="pause", tone=Tone.WARN
        )
    else:
        yield Event(
            verdict.decided_at,
            f"Not invited: {verdict.record.reason}",
            verdict.explanation,
            icon="warning",
            tone=Tone.WARN,
        )


def _of_invitation(rows: CandidateRows, invitation: Invitation) -> Iterator[Event]:
    name = f"“{invitation.assessment_name}”"
    again = f", round {invitation.round}" if invitation.round > 1 else ""
    if invitation.invited_at:
        yield Event(invitation.invited_at, f"Invited to {name}{again}", icon="send", tone=Tone.INFO)
    if invitation.bounced_at:
        yield Event(
            invitation.bounced_at,
            f"The invitation to {name} bounced{again}",
            icon="warning",
            tone=Tone.BAD,
        )
    if invitation.started_at:
        yield Event(invitation.started_at, f"Started {name}{again}", icon="edit", tone=Tone.INFO)
    if invitation.submitted_at:
        yield Event(invitation.submitted_at, f"Submitted {name}{again}", icon="check", tone=Tone.INFO)
    if invitation.awaits_decision_since:
        text = "Waits for a person's decision, because the candidate failed"
        yield Event(invitation.awaits_decision_since, text, icon="pause", tone=Tone.WARN)
    if invitation.following_ended_at and invitation.following_ended_reason:
        yield Event(invitation.following_ended_at, invitation.following_ended_reason, icon="clock")
    record = InvitationStatus(invitation.status).record
    if record.event:
        # what a person gave as the reason stands beside what they did
        why = "" if invitation.stopped_by_user else invitation.status_reason
        yield Event(invitation.changed_at, f"{name} {record.event}", why, icon=record.icon, tone=record.tone)
    results = rows.results.get(invitation.pk, [])
    for result in results:
        yield _of_result(invitation, result)
    if invitation.completed_at and not results:
        yield Event(invitation.completed_at, f"Completed {name}{again}", icon="check", tone=Tone.INFO)


def _of_effect(effect: Effect) -> Iterator[Event]:
    """Yield what an effect did, or that it failed; nothing while it waits, or where another line says it."""
    kind = kind_of(effect)
    if effect.state == Effect.State.FAILED and effect.failed_at and kind.failed:
        yield Event(effect.failed_at, kind.failed, effect.last_error, icon="warning", tone=Tone.BAD)
    elif effect.state == Effect.State.DONE and effect.done_at and kind.failed:
        yield Event(effect.done_at, kind.done(effect, kind.words(effect)), icon=kind.icon)


def _of_result(invitation: Invitation, result: Result) -> Event:
    tone, icon = look_of(result)
    parts = [result.get_outcome_display() or NOT_STATED]
    if result.score is not None:
        parts.append(f"score {result.score_text}" if not result.outcome else result.score_text)
    if result.attempt > 1:
        parts.append(f"attempt {result.attempt}")
    if invitation.round > 1:
        parts.append(f"round {invitation.round}")
    is_said = result.failure_reason.lower() == parts[0].lower()
    detail = "" if is_said else result.failure_reason
    return Event(result.created_at, ", ".join(parts), detail, icon=icon, tone=tone)
