"""Which candidates the list shows: the filters that its address states, and the steps that figures count too."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Self

from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse

from integrations.core.invitation_status import FollowingEnd, InvitationStatus
from integrations.core.verdict_code import NOT_INVITED_VERDICTS
from integrations.core.vocabulary import LabelledEnum, Origin, ResultOutcome
from integrations.inbox.today import CAN_BE_INVITED

OUTCOMES = {outcome.code: outcome for outcome in ResultOutcome}


class Step(LabelledEnum):
    """A step of a candidate's journey, which happens on a day."""

    ENTERED = "", "Entered the stage"
    INVITED = "invited", "Invited"
    STARTED = "started", "Started"
    SUBMITTED = "submitted", "Finished"
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


_Status = InvitationStatus
#: The tabs, by their value in the address.
VIEWS = {"": "All", "attention": "Need you", "not_invited": "Not invited", "done": "Done"}
#: The statuses to filter by, by their value in the address: each is named as the badge of its rows is.
STATUSES = {
    "held": _Status.HELD.label,
    "uncertain": _Status.UNCERTAIN.label,
    "not_sent": _Status.FAILED.label,
    "pending": _Status.PENDING.label,
    "invited": _Status.INVITED.label,
    "in_progress": _Status.IN_PROGRESS.label,
    "submitted": _Status.SUBMITTED.label,
    **{outcome.code: outcome.label for outcome in ResultOutcome},
    "completed": _Status.COMPLETED.label,
    "cancelled": _Status.WITHDRAWN.label,
}
#: The reason that stands for all about which somebody can do something.
CORRECTABLE_REASON = "correctable"
#: The reason that stands for all whose reason has ended: they can be invited now.
FREED_REASON = "freed"
REASONS: Mapping[str, str] = {
    CORRECTABLE_REASON: "what can be corrected",
    FREED_REASON: CAN_BE_INVITED,
    **{code: code.record.phrase for code in NOT_INVITED_VERDICTS},
}
#: As a role, an origin or an owner: those without one.
NONE = "none"
#: What is chosen from: any other value filters nothing.
_KNOWN = {
    "view": VIEWS,
    "status": STATUSES,
    "reason": REASONS,
    "origin": {*Origin, NONE},
    "step": set(Step),
    "became": set(Became),
}
#: What went wrong longer ago needs nobody's attention any more.
ATTENTION_DAYS = 30
#: The columns that the list can be sorted by, by their value in the address; a minus before it turns the order round.
SORTED_BY = {"name": "name", "assessment": "assessment_name", "entered": "entered_at"}
#: The order unless another is asked for: the latest entry first. It has an index, however long the list is.
LATEST_FIRST = "-entered"


@dataclass(frozen=True)
class Figure:
    """How many candidates the list at an address has, and what they are."""

    label: str
    number: int
    url: str


@dataclass(frozen=True)
class CandidateFilters:
    """The filters in the address, each empty when it isn't set.

    `mine` leaves those the member is on in Lever, `owner` those of one person, by the address there. `step`, a Step, is
    what `since` and `until` are the days of; `became` is what followed. An assessment, a step and what followed are
    looked for in one invitation. `sort` is a key of SORTED_BY. What shows a number and links to who is counted takes
    both from the same filters.
    """

    view: str = ""
    status: str = ""
    mine: str = ""
    reason: str = ""
    role: str = ""
    assessment: str = ""
    origin: str = ""
    owner: str = ""
    step: str = ""
    became: str = ""
    since: str = ""
    until: str = ""
    q: str = ""
    sort: str = ""

    @classmethod
    def of_address(cls, parameters: QueryDict) -> Self:
        """Return the filters as the address states them; what isn't a choice filters nothing."""
        # a title may begin or end with a space in Lever
        stated = {name: parameters.get(name, "")[:300] for name in cls.__dataclass_fields__}
        stated["q"] = stated["q"].strip()
        if stated["view"] in STATUSES:  # each was a tab once, and e-mails and bookmarks still lead to it
            stated["status"], stated["view"] = stated["view"], ""
        for name, known in _KNOWN.items():
            if stated[name] not in known:
                stated[name] = ""
        if stated["sort"].removeprefix("-") not in SORTED_BY:
            stated["sort"] = ""
        stated["mine"] = "1" if stated["mine"] else ""
        return cls(**stated)

    @property
    def is_set(self) -> bool:
        """Whether any filter is set beside the tab and whose candidates they are."""
        return any(value for name, value in asdict(self).items() if name not in {"view", "mine", "sort"})

    @property
    def has_further(self) -> bool:
        """Whether a filter is set that stands under *More filters*."""
        return replace(self, status="", role="", q="").is_set

    @property
    def order(self) -> tuple[str, str]:
        """The columns to order by; the key last, so that each row has one place."""
        sort = self.sort or LATEST_FIRST
        turned, column = "-" if sort.startswith("-") else "", SORTED_BY[sort.removeprefix("-")]
        return f"{turned}{column}", f"{turned}pk"

    @property
    def query(self) -> QueryDict:
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in asdict(self).items() if value})
        return query

    @property
    def url(self) -> str:
        return reverse("activity", query=self.query)

    def figure(self, label: str, number: int) -> Figure:
        """Return a number of candidates that was counted by these filters, with the list of them."""
        return Figure(label, number, self.url)
