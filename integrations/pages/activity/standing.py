"""Where a candidate stands, in a few words: the outcome with its tone, and what is next."""

from dataclasses import dataclass, replace

from integrations.models import Candidate, Invitation, Result
from integrations.verdict_code import NOT_INVITED_VERDICTS, WAITING_VERDICTS, VerdictCode
from integrations.vocabulary import ResultOutcome, Tone


@dataclass(frozen=True)
class Standing:
    """The outcome in a word or two, what it means, what is next, and its reason; the last two may be empty."""

    text: str
    tone: Tone
    next: str = ""
    reason: str = ""

    @property
    def whole(self) -> str:
        """The outcome with its reason."""
        return f"{self.text}: {self.reason}" if self.reason else self.text


BEING_DECIDED = Standing("Being decided", Tone.INFO, "Decided automatically")


def standing_of(candidate: Candidate, result: Result | None) -> Standing:
    """Return where the candidate stands, by the latest invitation and its latest result, else by the verdict."""
    verdict = candidate.delivery.verdict if candidate.delivery else ""
    if candidate.invitation is None:
        if candidate.delivery is not None and candidate.delivery.due_at is not None:
            return BEING_DECIDED
        return without_invitation(verdict)
    standing = standing_of_invitation(candidate.invitation, result)
    if candidate.delivery is None or candidate.delivery.invitation_id == candidate.invitation_id:
        return standing
    if verdict not in NOT_INVITED_VERDICTS:
        return standing
    # a later entry into a stage led to nothing, and what there was before stays
    return replace(standing, next=f"Not invited again: {VerdictCode(verdict).record.reason}", reason="")


def without_invitation(verdict: str) -> Standing:
    """Return where a candidate stands who has no invitation."""
    if not verdict or verdict not in (*NOT_INVITED_VERDICTS, *WAITING_VERDICTS):
        return BEING_DECIDED
    record = VerdictCode(verdict).record
    text = "Waiting" if verdict in WAITING_VERDICTS else "Not invited"
    return Standing(text, record.tone, record.waits_for, record.reason)


def standing_of_invitation(invitation: Invitation, result: Result | None) -> Standing:
    """Return where an invitation stands."""
    if invitation.status == Invitation.Status.COMPLETED:
        return _completed(invitation, result)
    words = invitation.words
    return Standing(words.label, words.tone, words.waits_for)


def _completed(invitation: Invitation, result: Result | None) -> Standing:
    words = invitation.words
    outcome = ResultOutcome(result.outcome) if result and result.outcome else None
    text = " ".join(filter(None, [outcome or words.label, result.score_text if result else ""]))
    if invitation.awaits_decision_since is not None:
        following = "Decide about them"
    else:
        following = "Result is in Lever" if invitation.feedback_id else "Result goes to Lever"
    return Standing(text, outcome.tone if outcome else words.tone, following)
