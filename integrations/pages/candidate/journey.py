"""The five steps of a candidate's journey, for the progress at the top of their page."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from integrations.invitation_status import InvitationStatus, JourneyStep
from integrations.models import Invitation
from integrations.pages.candidate.card import Card
from integrations.pages.candidate.rows import CandidateRows
from integrations.vocabulary import ResultOutcome, Tone

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
    """One step: its state, when it was reached, what is said about it, and whether the candidate is there now."""

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
        entered_at = rows.candidate.entered_at if rows.candidate else rows.first_delivery_at
        state = StepState.NOW if card.tone is Tone.INFO else StepState.WARN
        here = Step(LABELS[INVITED], state, card.at, card.title.partition(":")[0], is_current=True)
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
        steps = _with_result(steps, card)
    elif invitation.is_bounced:
        steps[INVITED] = Step(LABELS[INVITED], StepState.BAD, invitation.bounced_at, "Bounced")
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
    """Return the step at which the journey waits or has ended; None when nothing hinders it."""
    label, record = LABELS[reached + 1], InvitationStatus(invitation.status).record
    if invitation.has_ended_without_result:
        return Step(label, StepState.WARN, invitation.following_ended_at, card.title)
    if record.step is not None:
        return None
    if record.tone is Tone.INFO:
        return Step(label, StepState.NOW, None, record.label)
    state = StepState.BAD if record.tone is Tone.BAD else StepState.WARN
    return Step(label, state, invitation.changed_at, record.label)


def _with_result(steps: list[Step], card: Card) -> list[Step]:
    """Say at the last step how it ended, and at those without a time that they were left out or aren't known."""
    is_expired = card.result is not None and card.result.outcome == ResultOutcome.EXPIRED
    for number in (STARTED, SUBMITTED):
        if steps[number].at is None and is_expired:
            note = f"Not {LABELS[number].lower()}"
            steps[number] = replace(steps[number], state=StepState.LEFT_OUT, note=note)
        elif steps[number].at is None:
            steps[number] = replace(steps[number], note="Time not known")
    state = _STATES[card.tone]
    steps[RESULT] = replace(steps[RESULT], state=state, note=card.short_title)
    return steps
