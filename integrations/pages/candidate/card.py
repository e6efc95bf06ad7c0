"""Where a candidate stands now, as the card at the top of their page says it."""

from dataclasses import dataclass, replace
from datetime import datetime

from integrations.models import Delivery, Invitation, Result, Verdict
from integrations.models.invitation_status import Status
from integrations.pages.activity.next_steps import next_step
from integrations.pages.activity.standing import BY_STATUS, Meaning
from integrations.pages.candidate.rows import ASIDE, CandidateRows
from integrations.vocabulary import INVITING_VERDICTS, WAITING_VERDICTS, ResultOutcome, VerdictCode

NOT_STATED = "Result not stated by CodeScreen"
BEING_DECIDED = "The portal reads the candidate from Lever again and decides, within a minute."
BOUNCED = "CodeScreen reports that the invitation bounced: it couldn't be delivered to the address."
NEVER_GUESSED = "CodeScreen gave no Passed or Failed. The portal never guesses one from the score."
#: By outcome: the tone and the icon.
OUTCOMES = {
    ResultOutcome.PASSED: (Meaning.GOOD, "check"),
    ResultOutcome.FAILED: (Meaning.BAD, "x"),
    ResultOutcome.EXPIRED: (Meaning.WARN, "clock"),
}
#: By status: the title and the icon.
STATUSES = {
    Status.HELD: ("On hold", "pause"),
    Status.PENDING: ("Waiting to be sent", "clock"),
    Status.SENDING: ("Being sent", "send"),
    Status.UNCERTAIN: ("Possibly sent", "help"),
    Status.INVITED: ("Invited, not started", "mail"),
    Status.IN_PROGRESS: ("In progress", "edit"),
    Status.SUBMITTED: ("Submitted, being evaluated", "clock"),
    Status.COMPLETED: ("Completed, result to come", "clock"),
    Status.WITHDRAWN: ("Cancelled", "x"),
    Status.FAILED: ("Not sent", "warning"),
}


@dataclass(frozen=True)
class Card:
    """A title with its tone and icon, why it is so, what to do next, and the rows it is about.

    `retryable` is the delivery that a person may have decided again.
    """

    title: str
    tone: Meaning
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
        if rows.current.status == Status.HELD and not card.why:
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
        return Card("Being decided", Meaning.INFO, "clock", BEING_DECIDED, at=verdict.decided_at)
    is_waiting = verdict.code in WAITING_VERDICTS
    return Card(
        title=f"Not invited{' yet' if is_waiting else ''}: {verdict.get_code_display()}",
        tone=Meaning.WARN,
        icon="pause" if is_waiting else "warning",
        why=verdict.explanation,
        next_step=next_step(verdict.code),
        at=verdict.decided_at,
        verdict=verdict,
        retryable=retryable,
    )


def later_verdict(rows: CandidateRows) -> Verdict | None:
    """Return the latest verdict if it came after the invitation and led to no new one, else None."""
    verdict = rows.latest_verdict()
    if rows.current is None or verdict is None or verdict.code in ASIDE | INVITING_VERDICTS:
        return None
    return verdict if verdict.decided_at > rows.current.created_at else None


def card_of_invitation(invitation: Invitation, result: Result | None) -> Card:
    """Return where one invitation stands."""
    status = Status(invitation.status)
    if status == Status.COMPLETED and result is not None:
        return _with_result(invitation, result)
    (title, icon), tone = STATUSES[status], BY_STATUS[status].meaning
    why = invitation.status_reason
    if invitation.is_bounced:
        title, tone, icon, why = "Bounced", Meaning.BAD, "warning", BOUNCED
    if invitation.has_ended_without_result:
        title, tone, icon = invitation.get_following_ended_display(), Meaning.WARN, "clock"
        why = invitation.following_ended_reason
    return Card(
        title=title,
        tone=tone,
        icon=icon,
        why=why,
        next_step=next_step(VerdictCode.INVITE, invitation),
        at=invitation.bounced_at if invitation.is_bounced else invitation.changed_at,
        invitation=invitation,
        result=result,
    )


def look_of(result: Result) -> tuple[Meaning, str]:
    """Return what a result means to a person, and its icon."""
    return OUTCOMES[ResultOutcome(result.outcome)] if result.outcome else (Meaning.NEUTRAL, "info")


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
            Meaning.BAD,
            "warning",
            delivery.last_error,
            at=delivery.received_at,
            retryable=delivery,
        )
    return Card(
        "Being decided",
        Meaning.INFO,
        "clock",
        "The stage change has arrived, and the portal is deciding about it.",
        at=delivery.received_at if delivery else None,
    )


def _retryable(rows: CandidateRows, verdict: Verdict) -> Delivery | None:
    found = next((one for one in rows.deliveries if one.pk == verdict.delivery_id), None)
    return found if found is not None and found.platform == Delivery.Platform.LEVER else None
