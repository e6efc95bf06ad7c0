"""Where a candidate stands now: the card at the top of their page, and the five steps of their journey."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from integrations.case.texts import what_brings_back
from integrations.codescreen.details import Detail, details_in_words
from integrations.core.act import Act
from integrations.core.invitation_status import InvitationStatus, JourneyStep
from integrations.core.verdict_code import (
    ABOUT_NO_CANDIDATE,
    INVITING_VERDICTS,
    WAITING_VERDICTS,
    VerdictRecord,
)
from integrations.core.vocabulary import ResultOutcome, Tone
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.inbox.today import Changed
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import kind_of
from integrations.pages.candidate.rows import CandidateRows

BEING_DECIDED = "The portal reads the candidate from Lever again and decides, within a minute."
COMPARED_WITH_BAR = (
    "CodeScreen gave no Passed or Failed. The score is compared with the passing score of your rules."
)
NOT_WRITTEN = (
    "Lever doesn't show all of it. An Admin fixes the reason, then presses “Retry” under “Written to Lever”."
)
NEVER_GUESSED = "CodeScreen gave no Passed or Failed. The portal never guesses one from the score."


@dataclass(frozen=True)
class Card:
    """A title with its tone and icon, why it is so, what to do next, and the rows it is about.

    `changed` says what the rules of now decide where that is another verdict.
    `retryable` is the delivery that a person may have decided again, `acts` what they may do to the invitation.
    """

    title: str
    tone: Tone
    icon: str
    why: str = ""
    next_step: str = ""
    at: datetime | None = None
    invitation: Invitation | None = None
    result: Result | None = None
    verdict: Verdict | None = None
    changed: Changed | None = None
    retryable: Delivery | None = None
    acts: tuple[Act, ...] = ()

    @property
    def record(self) -> VerdictRecord | None:
        """What is said of the verdict, or of that of now where it changed."""
        return self.changed.record if self.changed else self.verdict.record if self.verdict else None

    @property
    def is_freed(self) -> bool:
        """Whether the reason not to invite the candidate has ended."""
        return self.changed is not None and self.changed.is_freed

    @property
    def short_title(self) -> str:
        """The title for one step of the progress: a result with its score."""
        if self.result is None:
            return self.title
        outcome = self.result.get_outcome_display()
        return ", ".join(filter(None, [outcome, self.result.score_text])) or "Not stated"

    @property
    def details(self) -> list[Detail]:
        """What else CodeScreen says of the result, in words."""
        return details_in_words(self.result.details) if self.result is not None else []

    @property
    def announcement(self) -> str:
        """What a screen reader is told when the card changes."""
        return " ".join(filter(None, [f"{self.title}.", self.why]))


def card_of_candidate(rows: CandidateRows) -> Card:
    """Return where the candidate stands: by the latest invitation, else by the latest verdict."""
    if rows.current is not None:
        return card_of_invitation(rows, rows.current)
    verdict = rows.verdict_about_an_assessment()
    if verdict is None:
        return _undecided(rows)
    from_lever = (one for one in rows.deliveries if one.platform == Delivery.Platform.LEVER)
    retryable = next((one for one in from_lever if one.pk == verdict.delivery_id), None)
    if retryable is not None and retryable.due_at is not None:
        return Card("Being decided", Tone.INFO, "clock", BEING_DECIDED, at=verdict.decided_at)
    changed = rows.changed
    if changed is not None and changed.candidate.delivery_id == verdict.delivery_id:
        return Card(
            title=f"Not invited: {changed.phrase}",
            tone=Tone.WARN if changed.is_freed else changed.record.tone,
            icon="warning",
            why=changed.sentence,
            next_step=changed.next_step,
            at=verdict.decided_at,
            verdict=verdict,
            changed=changed,
            retryable=retryable,
        )
    is_waiting = verdict.code in WAITING_VERDICTS
    return Card(
        title=f"Not invited{' yet' if is_waiting else ''}: {verdict.record.phrase}",
        tone=verdict.record.tone,
        icon="pause" if is_waiting else "warning",
        why=verdict.explanation,
        next_step=verdict.record.next_step,
        at=verdict.decided_at,
        verdict=verdict,
        retryable=retryable,
    )


def later_verdict(rows: CandidateRows) -> Verdict | None:
    """Return the latest verdict if the candidate was moved after the invitation, and it still holds, else None.

    One about the invitation no longer holds once that is tracked anew, because of the move or later.
    """
    verdict = rows.latest_verdict()
    if rows.current is None or verdict is None or verdict.code in ABOUT_NO_CANDIDATE | INVITING_VERDICTS:
        return None
    is_about_it = verdict.invitation_id == rows.current.pk
    since = rows.current.followed_since if is_about_it else rows.current.created_at
    moved = next((one for one in rows.stage_changes if one.pk == verdict.delivery_id), None)
    return verdict if moved is not None and moved.received_at > since else None


def card_of_invitation(rows: CandidateRows, invitation: Invitation) -> Card:
    """Return where one invitation stands."""
    result = rows.results.get(invitation.pk)
    if invitation.status == InvitationStatus.COMPLETED and result is not None:
        return _with_result(rows, invitation, result)
    words = invitation.words
    is_cancelled = words is InvitationStatus.WITHDRAWN.record
    return Card(
        title=words.title or words.label,
        tone=words.tone,
        icon=words.icon,
        why=rows.why(invitation),
        next_step=what_brings_back(invitation) if is_cancelled else words.next_step,
        at=invitation.changed_at,
        invitation=invitation,
        result=result,
        acts=rows.acts_on(invitation),
    )


def look_of(result: Result) -> tuple[Tone, str]:
    """Return what a result means to a person, and its icon."""
    return (result.said.tone, result.said.icon) if result.said else (Tone.NEUTRAL, "info")


def _why(result: Result) -> str:
    if result.outcome:
        return ""
    return NEVER_GUESSED if result.bar is None else COMPARED_WITH_BAR


def _after_result(rows: CandidateRows, invitation: Invitation, result: Result) -> str:
    of_it = (one for one in rows.effects if one.invitation_id == invitation.pk)
    if any(one.state == Effect.State.FAILED and kind_of(one).heading for one in of_it):
        return NOT_WRITTEN
    of_result = ResultOutcome(result.outcome).next_step if result.outcome and not invitation.erased_at else ""
    return of_result or invitation.words.next_step


def _with_result(rows: CandidateRows, invitation: Invitation, result: Result) -> Card:
    tone, icon = look_of(result)
    is_score_alone = result.said is None and result.score is not None
    return Card(
        title=f"Score {result.score_text}" if is_score_alone else result.headline,
        tone=tone,
        icon=icon,
        why=_why(result),
        next_step=_after_result(rows, invitation, result),
        at=invitation.completed_at or result.created_at,
        invitation=invitation,
        result=result,
        acts=rows.acts_on(invitation),
    )


def _undecided(rows: CandidateRows) -> Card:
    delivery = next(iter(rows.deliveries), None)
    if delivery is not None and delivery.is_stuck:
        return Card(
            "Not decided",
            Tone.BAD,
            "warning",
            delivery.last_error,
            at=delivery.received_at,
            retryable=delivery,
        )
    return Card(
        "Being decided",
        Tone.INFO,
        "clock",
        "The stage change has arrived, and the portal is deciding about it.",
        at=delivery.received_at if delivery else None,
    )


LABELS = ("Moved", "Invited", "Started", "Submitted", "Result")
MOVED, INVITED, STARTED, SUBMITTED, RESULT = JourneyStep


class StepState(StrEnum):
    """How a step is drawn, by its class in the style sheet."""

    DONE = "is-done"
    NOW = "is-now"
    GOOD = "is-good"
    WARN = "is-warn"
    BAD = "is-bad"
    LEFT_OUT = "is-left-out"
    TO_COME = "is-to-come"


_ICONS = {
    StepState.DONE: "check",
    StepState.GOOD: "check",
    StepState.WARN: "warning",
    StepState.BAD: "x",
}
#: The state of a step by the tone of what is said there.
_STATES = {
    Tone.GOOD: StepState.GOOD,
    Tone.WARN: StepState.WARN,
    Tone.BAD: StepState.BAD,
    Tone.INFO: StepState.NOW,
    Tone.NEUTRAL: StepState.DONE,
}


@dataclass(frozen=True)
class Step:
    """One step: its state, when it was reached, what is said about it, and whether the candidate is there now.

    Its label is what stands in its place where it wasn't reached.
    """

    label: str
    state: StepState
    at: datetime | None = None
    note: str = ""
    is_current: bool = False

    @property
    def icon(self) -> str:
        """The name of the icon in its circle; empty for none."""
        return _ICONS.get(self.state, "")


def journey(rows: CandidateRows, card: Card) -> list[Step]:
    """Return the five steps of the invitation that the page is about, or of a candidate without one."""
    invitation = card.invitation
    if invitation is None:
        first = rows.deliveries[-1].received_at if rows.deliveries else None
        entered_at = rows.candidate.entered_at if rows.candidate else first
        state = StepState.NOW if card.tone is Tone.INFO else StepState.WARN
        here = Step(card.title.partition(":")[0], state, card.at, is_current=True)
        return [Step(LABELS[MOVED], StepState.DONE, entered_at), here, *_to_come(STARTED)]
    delivery = rows.delivery_of(invitation)
    times = (
        delivery.received_at if delivery else invitation.created_at,
        invitation.invited_at,
        invitation.started_at,
        invitation.submitted_at,
        invitation.completed_at,
    )
    reached = _reached(invitation, times)
    steps = [Step(LABELS[number], StepState.DONE, times[number]) for number in range(reached + 1)]
    if delivery is None and invitation.round > 1:
        steps[MOVED] = replace(steps[MOVED], note="Sent again")
    if reached == RESULT:
        steps = _with_outcome(steps, card)
    elif stop := _stop(invitation, reached, card):
        steps.append(stop)
    else:
        steps[-1] = replace(steps[-1], state=StepState.NOW)
    steps[-1] = replace(steps[-1], is_current=True)
    return [*steps, *_to_come(len(steps))]


def _to_come(first: int) -> list[Step]:
    return [Step(label, StepState.TO_COME) for label in LABELS[first:]]


def _reached(invitation: Invitation, times: tuple[datetime | None, ...]) -> int:
    """Return the last step that was reached; where the status doesn't say, by the times."""
    if (by_status := InvitationStatus(invitation.status).record.step) is not None:
        return by_status
    return max(number for number in range(RESULT) if number == MOVED or times[number] is not None)


def _stop(invitation: Invitation, reached: int, card: Card) -> Step | None:
    """Return what stands in the place of the step that wasn't reached; None when nothing hinders it."""
    record = InvitationStatus(invitation.status).record
    if invitation.has_ended_without_result:
        return Step(card.title, StepState.WARN, invitation.following_ended_at)
    if record.step is not None:
        return None
    if record.tone is Tone.INFO:
        return Step(record.label, StepState.NOW)
    state = StepState.BAD if record.tone is Tone.BAD else StepState.WARN
    label = f"{record.label} after the invitation" if reached == INVITED else record.label
    return Step(label, state, invitation.changed_at)


def _with_outcome(steps: list[Step], card: Card) -> list[Step]:
    """Say at the last step how it ended, and at those without a time that they were left out or aren't known."""
    is_expired = card.result is not None and card.result.outcome == ResultOutcome.EXPIRED
    for number in (STARTED, SUBMITTED):
        if steps[number].at is None and is_expired:
            steps[number] = Step(f"Not {LABELS[number].lower()}", StepState.LEFT_OUT)
        elif steps[number].at is None:
            steps[number] = replace(steps[number], note="Time not known")
    state = _STATES[card.tone]
    steps[RESULT] = replace(steps[RESULT], state=state, note=card.short_title)
    return steps
