"""The steps of a candidate's journey that lists filter by and figures count: what happened, and what followed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from integrations.core.invitation_status import FollowingEnd
from integrations.core.vocabulary import LabelledEnum, ResultOutcome

OUTCOMES = {outcome.code: outcome for outcome in ResultOutcome}


class Step(LabelledEnum):
    """A step of a candidate's journey, which happens on a day."""

    ENTERED = "", "Entered the stage"
    INVITED = "invited", "Invited"
    STARTED = "started", "Started"
    SUBMITTED = "submitted", "Submitted or expired"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


#: The time of each step that an invitation has a time of.
TIMES: Mapping[Step, str] = {
    Step.INVITED: "invited_at",
    Step.STARTED: "begun_at",
    Step.SUBMITTED: "handed_in_at",
}


class Became(LabelledEnum):
    """What became of an invitation until now, in the order of a report's columns; more than one can hold."""

    SENT = "", "Invited"
    STARTED = "started", "Started"
    NOT_STARTED = "not_started", "Not started in time"
    FINISHED = "finished", "Got a result"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"
    NOT_STATED = "not_stated", "Result not stated"


#: Which invitations became so, of those read `with_steps`. `Journey.became` says the same of one.
CONDITIONS: Mapping[Became, Q] = {
    Became.STARTED: Q(begun_at__isnull=False),
    Became.FINISHED: Q(completed_at__isnull=False),
    Became.NOT_STATED: Q(outcome=""),
    Became.NOT_STARTED: Q(following_ended=FollowingEnd.NOT_STARTED)
    | Q(outcome=ResultOutcome.EXPIRED, begun_at__isnull=True),
    **{Became(code): Q(outcome=outcome) for code, outcome in OUTCOMES.items()},
}


@dataclass(frozen=True, slots=True)
class Journey:
    """One invitation that was sent, as `with_steps` reads it; the outcome is None before the first result."""

    opportunity_id: str
    assessment_name: str
    invited_at: datetime
    started_at: datetime | None
    begun_at: datetime | None
    completed_at: datetime | None
    outcome: str | None
    following_ended: str

    def became(self) -> Iterator[Became]:
        yield Became.SENT
        if self.begun_at:
            yield Became.STARTED
        if self.completed_at:
            yield Became.FINISHED
        if self.outcome is not None:
            yield Became(ResultOutcome(self.outcome).code) if self.outcome else Became.NOT_STATED
        has_expired = self.outcome == ResultOutcome.EXPIRED
        if self.following_ended == FollowingEnd.NOT_STARTED or (has_expired and not self.begun_at):
            yield Became.NOT_STARTED
