"""Why an invitation waits until an Admin approves it: every reason, in one place."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from integrations.core.rules.facts import CandidateSnapshot, Facts
from integrations.core.rules.names import normalize
from integrations.core.vocabulary import Approval, HoldReason, OriginRule


@dataclass(frozen=True)
class Hold:
    """A reason, its words within a sentence, and what an Admin does before they approve; empty where it is nothing."""

    reason: HoldReason
    words: str
    before_sending: str = ""


#: Why somebody needs it may be about their health, and isn't said.
EXTRA_TIME = Hold(
    HoldReason.EXTRA_TIME,
    "by your organization's rules this candidate needs extra time",
    "An Admin sets the extra time in CodeScreen, then sends it.",
)


#: What a person releases who chooses an assessment for one candidate, or has it sent to them again: every reason. They
#: decide about this candidate alone, so that no rule asks for a further approval.
RELEASED_BY_CHOICE = tuple(HoldReason)


def holds_of(facts: Facts, candidate: CandidateSnapshot, approval: Approval) -> Iterator[Hold]:
    """Yield why an invitation that would be sent is held; nothing when it isn't."""
    yield from (hold for hold in _holds(facts, candidate, approval) if hold.reason not in facts.released)


def _holds(facts: Facts, candidate: CandidateSnapshot, approval: Approval) -> Iterator[Hold]:
    is_limited = facts.bulk_limit and approval != Approval.NEVER
    if is_limited and facts.recently_invited >= facts.bulk_limit:
        minutes = "1 minute" if facts.bulk_window == 1 else f"{facts.bulk_window} minutes"
        candidates = "1 candidate" if facts.bulk_limit == 1 else f"{facts.bulk_limit} candidates"
        yield Hold(HoldReason.BULK_LIMIT, f"more than {candidates} in {minutes}")
    if facts.chosen_assessment:  # who was chosen for an assessment by a person is sent it
        return
    if approval == Approval.ALWAYS:
        yield Hold(HoldReason.ROLE, "invitations for this role are approved each time")
    if origin_rule(facts, candidate) == OriginRule.HOLD and candidate.origin:
        yield Hold(HoldReason.ORIGIN, f"the candidate's origin is “{candidate.origin.label}”")
    if candidate.needs_extra_time:
        yield EXTRA_TIME


def needs_extra_time(hold_tag: str, tags: Iterable[str]) -> bool:
    """Whether one of the candidate's tags is the one that says so; nobody has an empty one."""
    return bool(normalize(hold_tag)) and normalize(hold_tag) in map(normalize, tags)


def origin_rule(facts: Facts, candidate: CandidateSnapshot) -> OriginRule:
    """Return what the rules say of the candidate's origin. Who was chosen for an assessment by a person is sent it."""
    if candidate.origin is None or facts.chosen_assessment:
        return OriginRule.SEND
    return OriginRule(facts.origins.get(candidate.origin, OriginRule.SEND))


def explain(holds: Sequence[Hold]) -> str:
    """Return the sentences of a verdict about the holds of an invitation."""
    reasons = "; ".join(hold.words for hold in holds)
    steps = [hold.before_sending for hold in holds if hold.before_sending]
    return " ".join([f"Waits for approval: {reasons}.", *steps])
