"""Where a candidate stands now, as the card at the top of their page says it."""

from dataclasses import dataclass, replace
from datetime import datetime

from integrations.invitation_status import InvitationStatus
from integrations.models import Delivery, Invitation, Result, Verdict
from integrations.pages.candidate.rows import CandidateRows
from integrations.verdict_code import ABOUT_NO_CANDIDATE, INVITING_VERDICTS, WAITING_VERDICTS
from integrations.vocabulary import ResultOutcome, Tone

NOT_STATED = "Result not stated by CodeScreen"
BEING_DECIDED = "The portal reads the candidate from Lever again and decides, within a minute."
NEVER_GUESSED = "CodeScreen gave no Passed or Failed. The portal never guesses one from the score."


@dataclass(frozen=True)
class Card:
    """A title with its tone and icon, why it is so, what to do next, and the rows it is about.

    `retryable` is the delivery that a person may have decided again.
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
    retryable: Delivery | None = None

    @property
    def short_title(self) -> str:
        """The title for one step of the progress: a result with its score."""
        if self.result is None:
            return self.title
        outcome = self.result.get_outcome_display() or "Not stated"
        return ", ".join(filter(None, [outcome, self.result.score_text]))

    @property
    def announcement(self) -> str:
        """What a screen reader is told when the card changes."""
        return " ".join(filter(None, [f"{self.title}.", self.why]))


def card_of_candidate(rows: CandidateRows) -> Card:
    """Return where the candidate stands: by the latest invitation, else by the latest verdict."""
    if rows.current is not None:
        card = card_of_invitation(rows.current, rows.latest_result(rows.current))
        if rows.current.status == InvitationStatus.HELD and not card.why:
            return replace(card, why=rows.why_held(rows.current))
        if cancellation := rows.cancellation(rows.current):
            reason = f": {cancellation.reason}" if cancellation.reason else "."
            return replace(card, why=f"By {cancellation.actor_name}{reason}")
        return card
    verdict = rows.telling_verdict()
    if verdict is None:
        return _undecided(rows)
    retryable = _retryable(rows, verdict)
    if retryable is not None and retryable.due_at is not None:
        return Card("Being decided", Tone.INFO, "clock", BEING_DECIDED, at=verdict.decided_at)
    is_waiting = verdict.code in WAITING_VERDICTS
    return Card(
        title=f"Not invited{' yet' if is_waiting else ''}: {verdict.record.phrase}",
        tone=Tone.WARN,
        icon="pause" if is_waiting else "warning",
        why=verdict.explanation,
        next_step=verdict.record.next_step,
        at=verdict.decided_at,
        verdict=verdict,
        retryable=retryable,
    )


def later_verdict(rows: CandidateRows) -> Verdict | None:
    """Return the latest verdict if it came after the invitation and led to no new one, else None."""
    verdict = rows.latest_verdict()
    if rows.current is None or verdict is None or verdict.code in ABOUT_NO_CANDIDATE | INVITING_VERDICTS:
        return None
    return verdict if verdict.decided_at > rows.current.created_at else None


def card_of_invitation(invitation: Invitation, result: Result | None) -> Card:
    """Return where one invitation stands."""
    if invitation.status == InvitationStatus.COMPLETED and result is not None:
        return _with_result(invitation, result)
    words = invitation.words
    title, why = words.title or words.label, invitation.status_reason
    if invitation.is_bounced:
        why = words.meaning
    if invitation.has_ended_without_result:
        title, why = invitation.get_following_ended_display(), invitation.following_ended_reason
    return Card(
        title=title,
        tone=words.tone,
        icon=words.icon,
        why=why,
        next_step=words.next_step,
        at=invitation.bounced_at if invitation.is_bounced else invitation.changed_at,
        invitation=invitation,
        result=result,
    )


def look_of(result: Result) -> tuple[Tone, str]:
    """Return what a result means to a person, and its icon."""
    if not result.outcome:
        return Tone.NEUTRAL, "info"
    outcome = ResultOutcome(result.outcome)
    return outcome.tone, outcome.icon


def _with_result(invitation: Invitation, result: Result) -> Card:
    tone, icon = look_of(result)
    waits = invitation.awaits_decision_since is not None
    return Card(
        title=result.get_outcome_display() or NOT_STATED,
        tone=tone,
        icon=icon,
        why="" if result.outcome else NEVER_GUESSED,
        next_step="Decide what becomes of this candidate, then record it here." if waits else "",
        at=invitation.completed_at or result.created_at,
        invitation=invitation,
        result=result,
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


def _retryable(rows: CandidateRows, verdict: Verdict) -> Delivery | None:
    found = next((one for one in rows.deliveries if one.pk == verdict.delivery_id), None)
    return found if found is not None and found.platform == Delivery.Platform.LEVER else None
