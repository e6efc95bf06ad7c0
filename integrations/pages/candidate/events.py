"""What happened to one candidate, as sentences for people: the newest first, a line each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain

from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import ABOUT_NO_CANDIDATE, INVITING_VERDICTS, VerdictCode
from integrations.core.vocabulary import DeliveryEvent, Platform, Tone
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.payloads import StageChange
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import MESSAGES, kind_of
from integrations.pages.candidate.card import look_of
from integrations.pages.candidate.rows import CandidateRows

#: A step that took longer than this has waited.
WAITED_FROM = timedelta(minutes=1)
#: Where no call about the candidate shows which of the two it was.
EITHER = "Lever or CodeScreen"
#: Lever's events other than stage changes that say something about the candidate.
_LEVER_EVENTS = {
    "candidateDeleted": ("Deleted in Lever", "trash"),
    "candidateArchiveChange": ("Archived or unarchived in Lever", "list"),
    "candidateHired": ("Hired in Lever", "check"),
}


@dataclass(frozen=True)
class Event:
    """What happened at a time, in a sentence; `detail` is the why, `tone` what it means to a person."""

    at: datetime
    text: str
    detail: str = ""
    icon: str = "info"
    tone: Tone = Tone.NEUTRAL

    @property
    def day(self) -> date:
        """The day in the reader's time zone."""
        return timezone.localtime(self.at).date()


def action_event(entry: AuditEntry) -> Event:
    """Return who did what, with the reason that they gave."""
    reason = f": “{entry.reason}”" if entry.reason else ""
    icon = "trash" if entry.action == AuditAction.ERASE else "user"
    return Event(entry.at, f"{entry.who} {entry.get_action_display()}{reason}", icon=icon)


#: A step that took so long that somebody may ask why: its row, and when it began and ended; None while it waits.
type _Wait = tuple[Delivery | Effect, datetime, datetime | None]


@dataclass(frozen=True)
class _Outage:
    """The time in which a platform didn't answer about the candidate, and how often it was tried."""

    platform: str
    since: datetime
    until: datetime | None
    tries: int

    def overlaps(self, other: "_Outage") -> bool:
        is_same = self.platform == other.platform or EITHER in {self.platform, other.platform}
        now = timezone.now()
        return is_same and self.since <= (other.until or now) and other.since <= (self.until or now)

    def merged(self, other: "_Outage") -> "_Outage":
        until = None if self.until is None or other.until is None else max(self.until, other.until)
        platform = other.platform if self.platform == EITHER else self.platform
        since = min(self.since, other.since)
        return replace(self, platform=platform, since=since, until=until, tries=self.tries + other.tries)


def outage_events(rows: CandidateRows) -> Iterator[Event]:
    """Yield an event for each time in which the candidate waited because a platform didn't answer."""
    merged: list[_Outage] = []
    found = (outage for wait in _waits(rows) for outage in _outages(wait, rows))
    for outage in sorted(found, key=lambda one: one.since):
        if merged and merged[-1].overlaps(outage):
            merged[-1] = merged[-1].merged(outage)
        else:
            merged.append(outage)
    for outage in merged:
        yield Event(outage.until or outage.since, _sentence(outage), icon="clock", tone=Tone.WARN)


def _waits(rows: CandidateRows) -> Iterator[_Wait]:
    # the first verdict of each delivery, which is read last
    decided_at = {verdict.delivery_id: verdict.decided_at for verdict in rows.verdicts}
    steps: list[_Wait] = [(one, one.received_at, decided_at.get(one.pk)) for one in rows.stage_changes]
    steps += [
        (one, one.trying_since, one.done_at or one.failed_at)
        for one in rows.newest_effects
        if one.kind not in MESSAGES and one.state != Effect.State.CANCELLED
    ]
    for row, since, until in steps:
        if (until or timezone.now()) - since > WAITED_FROM:
            yield row, since, until


def _outages(wait: _Wait, rows: CandidateRows) -> Iterator[_Outage]:
    """Yield when which platform didn't answer: by the calls for the step, else by the organization's incidents."""
    row, since, until = wait
    is_tried_again = not (isinstance(row, Effect) and _was_possibly_sent(row, rows))
    is_answering = all(incident.ended_at for incident in rows.outages)
    times: dict[str, list[datetime]] = {}
    for call in rows.unanswered:
        if row.pk == (call.delivery_id if isinstance(row, Delivery) else call.effect_id):
            times.setdefault(call.platform, []).append(call.at)
    for platform, tried_at in times.items():
        # of a platform that answers others it is only known that these calls got no answer
        is_over = not is_tried_again or (until is None and is_answering)
        ended_at = max(tried_at) if is_over else until
        yield _Outage(Platform(platform).label, min(tried_at), ended_at, len(tried_at))
    if times:
        return
    ongoing = timezone.now()
    # the step's calls were put off, because others had shown that nobody answers
    for incident in rows.outages:
        if incident.began_at < (until or ongoing) and since < (incident.ended_at or ongoing):
            ends = [end for end in (until, incident.ended_at) if end is not None]
            yield _Outage(EITHER, max(since, incident.began_at), min(ends, default=None), 0)


def _was_possibly_sent(effect: Effect, rows: CandidateRows) -> bool:
    """Whether a call without an answer possibly sent the invitation, so that a person says or said whether it did."""
    if effect.state == Effect.State.UNCERTAIN:
        return True
    if effect.kind != Effect.Kind.SEND_INVITATION or effect.done_at is None:
        return False
    invited_at = next(
        (one.invited_at for one in rows.newest_invitations if one.pk == effect.invitation_id), None
    )
    return invited_at is not None and effect.done_at - invited_at > WAITED_FROM


def _sentence(outage: _Outage) -> str:
    since = timezone.localtime(outage.since)
    if outage.until == outage.since:
        return f"{outage.platform} gave no answer at {since:%H:%M}"
    tried = f"; tried {outage.tries} time{'' if outage.tries == 1 else 's'}" if outage.tries else ""
    if outage.until is None:
        return f"{outage.platform} hasn't answered since {since:%-d %B, %H:%M}{tried}"
    until = timezone.localtime(outage.until)
    end = f"{until:%H:%M}" if until.date() == since.date() else f"{until:%-d %B, %H:%M}"
    start = f"{since:%H:%M}" if until.date() == since.date() else f"{since:%-d %B, %H:%M}"
    return f"Waited for {outage.platform} from {start} to {end}{tried}"


def events(rows: CandidateRows) -> list[Event]:
    """Return what happened, the newest first."""
    found = chain(
        decision_events(rows),
        (event for invitation in rows.newest_invitations for event in _of_invitation(rows, invitation)),
        (event for effect in rows.newest_effects for event in _of_effect(effect)),
        outage_events(rows),
    )
    # of one moment what follows comes last
    return sorted(found, key=lambda event: event.at)[::-1]


def decision_events(rows: CandidateRows) -> list[Event]:
    """Return the moves in Lever, what was decided about them, and what people did, the newest first."""
    moves = {one.pk for one in rows.stage_changes}
    found = chain(
        (event for one in rows.deliveries for event in _of_delivery(rows, one)),
        (
            event
            for verdict in rows.verdicts
            if verdict.delivery_id in moves
            for event in _of_verdict(verdict)
        ),
        map(action_event, rows.actions),
    )
    return sorted(found, key=lambda event: event.at, reverse=True)


def _of_delivery(rows: CandidateRows, delivery: Delivery) -> Iterator[Event]:
    if delivery.platform != Delivery.Platform.LEVER:
        return
    if delivery.event in DeliveryEvent:
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
        # the invitation that the candidate has may count again because of the move
        outcome = "No new invitation" if verdict.code == VerdictCode.ALREADY_INVITED else "Not invited"
        yield Event(
            verdict.decided_at,
            f"{outcome}: {verdict.record.phrase}",
            verdict.explanation,
            icon="warning",
            tone=Tone.WARN,
        )


def _of_invitation(rows: CandidateRows, invitation: Invitation) -> Iterator[Event]:
    name = f"“{invitation.assessment_name}”"
    again = f", round {invitation.round}" if invitation.round > 1 else ""
    if invitation.invited_at:
        yield Event(invitation.invited_at, f"Invited to {name}{again}", icon="send", tone=Tone.INFO)
    if invitation.started_at:
        yield Event(invitation.started_at, f"Started {name}{again}", icon="edit", tone=Tone.INFO)
    if invitation.submitted_at:
        yield Event(invitation.submitted_at, f"Submitted {name}{again}", icon="check", tone=Tone.INFO)
    if invitation.following_ended_at and invitation.following_ended_reason:
        yield Event(invitation.following_ended_at, invitation.following_ended_reason, icon="clock")
    record = InvitationStatus(invitation.status).record
    if record.event:
        # what a person gave as the reason stands beside what they did
        why = "" if invitation.stopped_by_user else invitation.status_reason
        yield Event(invitation.changed_at, f"{name} {record.event}", why, icon=record.icon, tone=record.tone)
    results = rows.attempts.get(invitation.pk, [])
    for result in results:
        yield _of_result(invitation, result)
    if invitation.completed_at and not results:
        yield Event(invitation.completed_at, f"Completed {name}{again}", icon="check", tone=Tone.INFO)


def _of_effect(effect: Effect) -> Iterator[Event]:
    """Yield that a message was sent, or that a step failed; what was written to Lever stands beside the history."""
    kind = kind_of(effect)
    if effect.state == Effect.State.FAILED and effect.failed_at and kind.failed:
        yield Event(effect.failed_at, kind.failed, effect.last_error, icon="warning", tone=Tone.BAD)
    elif effect.state == Effect.State.DONE and effect.done_at and kind.done:
        yield Event(effect.done_at, kind.done, icon=kind.icon)


def _of_result(invitation: Invitation, result: Result) -> Event:
    tone, icon = look_of(result)
    stated = filter(None, [result.headline, result.score_text])
    parts = list(stated) if result.outcome else [result.label]
    if result.attempt > 1:
        parts.append(f"attempt {result.attempt}")
    if invitation.round > 1:
        parts.append(f"round {invitation.round}")
    is_said = result.failure_reason.lower() == parts[0].lower()
    detail = "" if is_said else result.failure_reason
    return Event(result.created_at, ", ".join(parts), detail, icon=icon, tone=tone)
