"""Where a candidate stands, in a few words: the outcome with its meaning, and what is next."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from integrations.models import Candidate, Invitation, Result
from integrations.vocabulary import INVITING_VERDICTS, InvitationStatus, ResultOutcome, VerdictCode


class Meaning(StrEnum):
    """What an outcome means to a person; the value is the badge's class."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class Standing:
    """The outcome in a word or two, what it means, its reason, and what is next; the last two may be empty."""

    text: str
    meaning: Meaning
    next: str = ""
    reason: str = ""

    @property
    def whole(self) -> str:
        """The outcome with its reason."""
        return f"{self.text}: {self.reason}" if self.reason else self.text


_Status, _Code = InvitationStatus, VerdictCode

#: Where an invitation of this status stands.
BY_STATUS: Mapping[str, Standing] = {
    _Status.HELD: Standing("On hold", Meaning.WARN, "Waits for an Admin"),
    _Status.PENDING: Standing("Being sent", Meaning.INFO, "Goes out by itself"),
    _Status.SENDING: Standing("Being sent", Meaning.INFO, "Goes out by itself"),
    _Status.UNCERTAIN: Standing("Possibly sent", Meaning.WARN, "Look in CodeScreen whether it arrived"),
    _Status.INVITED: Standing("Invited", Meaning.INFO, "Waits for the candidate to start"),
    _Status.IN_PROGRESS: Standing("In progress", Meaning.INFO, "Waits for the candidate to finish"),
    _Status.SUBMITTED: Standing("Submitted", Meaning.INFO, "Waits for CodeScreen's result"),
    _Status.COMPLETED: Standing("Completed", Meaning.INFO),
    _Status.WITHDRAWN: Standing("Cancelled", Meaning.NEUTRAL),
    _Status.FAILED: Standing("Not sent", Meaning.BAD, "Correct the reason, then send again"),
}
_BY_OUTCOME: Mapping[str, Meaning] = {
    ResultOutcome.PASSED: Meaning.GOOD,
    ResultOutcome.FAILED: Meaning.BAD,
    ResultOutcome.EXPIRED: Meaning.WARN,
}
#: Verdicts after which nobody was invited: the reason in a few words, its meaning, and what is next.
_NOT_INVITED: dict[str, Standing] = {
    _Code.NO_ASSESSMENT: Standing(
        "no assessment", Meaning.WARN, "An Admin maps the role, then move them in again"
    ),
    _Code.UNKNOWN_ASSESSMENT: Standing(
        "unknown assessment",
        Meaning.WARN,
        "Correct the tag, or an Admin the mapping; then move them in again",
    ),
    _Code.AMBIGUOUS_ASSESSMENT: Standing(
        "several assessments", Meaning.WARN, "Leave one assessment, then move them in again"
    ),
    _Code.NO_EMAIL: Standing("no e-mail address", Meaning.WARN, "Add it in Lever, then move them in again"),
    _Code.CONTACT_NOT_ALLOWED: Standing("contact not allowed", Meaning.WARN, "Ask for consent in Lever"),
    _Code.NOT_VISIBLE: Standing("could not be read", Meaning.WARN, "Decided again once they can be read"),
    _Code.ENTERED_BEFORE: Standing(
        "may be invited already", Meaning.WARN, "Look in CodeScreen, else invite them"
    ),
    _Code.INVITED_ELSEWHERE: Standing(
        "invited for another role", Meaning.NEUTRAL, "That result counts here too"
    ),
    _Code.ALREADY_INVITED: Standing("invited already", Meaning.NEUTRAL),
    _Code.LEFT_STAGE: Standing("left the stage", Meaning.NEUTRAL),
    _Code.ARCHIVED: Standing("archived", Meaning.NEUTRAL),
    _Code.ANONYMIZED: Standing("anonymized", Meaning.NEUTRAL),
    _Code.ERASED: Standing("data erased", Meaning.NEUTRAL),
    _Code.NOT_A_TRIGGER_STAGE: Standing("not a CodeScreen stage", Meaning.NEUTRAL),
}
_WAITING: dict[str, Standing] = {
    _Code.PAUSED: Standing("Waiting", Meaning.WARN, "Decided when the pause ends", "paused"),
    _Code.DISCONNECTED: Standing("Waiting", Meaning.WARN, "Decided when connected again", "not connected"),
}
BEING_DECIDED = Standing("Being decided", Meaning.INFO, "Decided by itself")
#: The reasons that the list of who wasn't invited is filtered by.
NOT_INVITED_REASONS = {code: standing.text for code, standing in _NOT_INVITED.items()}
#: Verdicts that somebody can do something about.
CORRECTABLE = tuple(
    code
    for code, standing in (_NOT_INVITED | _WAITING).items()
    if standing.meaning is Meaning.WARN and code != _Code.ENTERED_BEFORE
)


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
    if verdict in INVITING_VERDICTS or verdict not in _NOT_INVITED:
        return standing
    # a later entry into a stage led to nothing, and what there was before stays
    return Standing(standing.text, standing.meaning, f"Not invited again: {_NOT_INVITED[verdict].text}")


def without_invitation(verdict: str) -> Standing:
    """Return where a candidate stands who has no invitation."""
    if verdict in _WAITING:
        return _WAITING[verdict]
    reason = _NOT_INVITED.get(verdict)
    if reason is None:
        return BEING_DECIDED
    return Standing("Not invited", reason.meaning, reason.next, reason.text)


def standing_of_invitation(invitation: Invitation, result: Result | None) -> Standing:
    """Return where an invitation stands."""
    if invitation.erased_at is not None and invitation.status != _Status.COMPLETED:
        return Standing("Data erased", Meaning.NEUTRAL)
    if invitation.is_bounced:
        return Standing("Bounced", Meaning.BAD, "Correct the address, then send again")
    if invitation.has_ended_without_result:
        return Standing("No result", Meaning.WARN, "The portal no longer asks for it")
    if invitation.status == _Status.COMPLETED:
        return _completed(invitation, result)
    return BY_STATUS[invitation.status]


def _completed(invitation: Invitation, result: Result | None) -> Standing:
    outcome = result.outcome if result else ""
    words = [outcome or "Completed", result.score_text if result else ""]
    if invitation.awaits_decision_since is not None:
        following = "Decide about them"
    else:
        following = "Result is in Lever" if invitation.feedback_id else "Result goes to Lever"
    return Standing(" ".join(filter(None, words)), _BY_OUTCOME.get(outcome, Meaning.INFO), following)
