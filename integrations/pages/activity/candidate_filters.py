"""Which candidates the list shows: the filters that its address states, and what its search finds."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Self

from django.db.models import F, IntegerField, Q, QuerySet, Subquery
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from integrations.core.invitation_status import BOUNCED, NEED_PERSON, InvitationStatus
from integrations.core.verdict_code import CORRECTABLE_VERDICTS, NOT_INVITED_VERDICTS, VerdictCode
from integrations.core.vocabulary import Origin, ResultOutcome, lower_first
from integrations.health.checks.work import ENDED_SHOWN_FOR
from integrations.inbox.models.delivery import Delivery, DeliveryQuerySet
from integrations.invitations.models.candidate import (
    Candidate,
    CandidateQuerySet,
    OpportunityPerson,
    Relation,
)
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.invitation_queries import HAS_BOUNCED
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.pages.access import own, visible
from integrations.pages.activity.search import NONE, has_role, matching_candidates
from integrations.pages.activity.steps import CONDITIONS, OUTCOMES, TIMES, Became, Step
from integrations.pages.times import midnight, within_days

_Status = InvitationStatus
#: The tabs, by their value in the address: each is named as the badge of its rows is.
VIEWS = {
    "": "All",
    "attention": "Needs attention",
    "held": _Status.HELD.label,
    "uncertain": _Status.UNCERTAIN.label,
    "not_sent": _Status.FAILED.label,
    "bounced": BOUNCED.label,
    "not_invited": "Not invited",
    "pending": _Status.PENDING.label,
    "invited": _Status.INVITED.label,
    "in_progress": _Status.IN_PROGRESS.label,
    "submitted": _Status.SUBMITTED.label,
    **{outcome.code: outcome.label for outcome in ResultOutcome},
    "completed": _Status.COMPLETED.label,
    "cancelled": _Status.WITHDRAWN.label,
}
#: Those that only links from the overview and from Health lead to: a part of a tab that waits for one kind of act.
LINKED_VIEWS = {
    "undecided": "Failed, decision needed",
    "no_result": f"No result in the last {ENDED_SHOWN_FOR.days} days",
}
#: The tabs of invitations that stand well, by status.
_STATUSES = {
    "pending": (_Status.PENDING, _Status.SENDING),
    "invited": (_Status.INVITED,),
    "in_progress": (_Status.IN_PROGRESS,),
    "submitted": (_Status.SUBMITTED,),
    "cancelled": (_Status.WITHDRAWN,),
}
#: The reason that stands for all about which somebody can do something.
CORRECTABLE_REASON = "correctable"
REASONS: Mapping[str, str] = {
    CORRECTABLE_REASON: "what can be corrected",
    **{code: code.record.phrase for code in NOT_INVITED_VERDICTS},
}
#: What is chosen from: any other value filters nothing.
_KNOWN = {
    "view": VIEWS | LINKED_VIEWS,
    "reason": REASONS,
    "origin": {*Origin, NONE},
    "step": set(Step),
    "became": set(Became),
}
#: What went wrong longer ago needs nobody's attention any more.
ATTENTION_DAYS = 30
#: Of those that need attention, or a person's act, the newest are shown, at most this many.
MOST = 2_000
#: The columns that the list can be sorted by, by their value in the address; a minus before it turns the order round.
SORTED_BY = {"name": "name", "assessment": "assessment_name", "entered": "entered_at"}
#: The order unless another is asked for: the latest entry first. It has an index, however long the list is.
LATEST_FIRST = "-entered"
#: The number beside a tab is counted up to this, and shown with a plus beyond it.
COUNTED = 999


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
        stated = {name: parameters.get(name, "")[:300].strip() for name in cls.__dataclass_fields__}
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
        return replace(self, role="", assessment="", q="").is_set

    @property
    def order(self) -> tuple[str, str]:
        """The columns to order by; the key last, so that each row has one place."""
        sort = self.sort or LATEST_FIRST
        turned, column = "-" if sort.startswith("-") else "", SORTED_BY[sort.removeprefix("-")]
        return f"{turned}{column}", f"{turned}pk"

    @property
    def query(self) -> QueryDict:
        """The filters as an address states them."""
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in asdict(self).items() if value})
        return query

    @property
    def url(self) -> str:
        """The address of the list."""
        return reverse("activity", query=self.query)

    @property
    def title(self) -> str:
        """What the list is called: by its tab and its filters."""
        origin = "Origin not known"
        if self.origin != NONE:
            origin = self.origin and f"from {Origin(self.origin).label}"
        stated = (
            self.mine and "My candidates",
            self.view and (VIEWS | LINKED_VIEWS)[self.view],
            "No role" if self.role == NONE else self.role,
            self.assessment,
            self.reason and REASONS[self.reason],
            origin,
            "Owner not known" if self.owner == NONE else self.owner,
            self.step and Step(self.step).label,
            self.since and f"from {self.since}",
            self.until and f"to {self.until}",
            self.became and f"then {lower_first(Became(self.became).label)}",
            self.q and f"“{self.q}”",
        )
        return " · ".join(filter(None, stated)) or "All"

    def figure(self, label: str, number: int) -> Figure:
        """Return a number of candidates that was counted by these filters, with the list of them."""
        return Figure(label, number, self.url)


class _Number(Subquery):
    """How many rows a query has, as a column of another."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


class CandidateSearch:
    """The candidates that a member sees, by the filters of an address."""

    def __init__(self, member: Membership, filters: CandidateFilters) -> None:
        self.member, self.filters = member, filters
        self.organization = member.organization

    def rows(self) -> CandidateQuerySet:
        """Return the candidates in the order asked for, with their delivery and invitation."""
        filters = self.filters
        if filters.reason == VerdictCode.ENTERED_BEFORE:
            # somebody who has an earlier invitation may be offered too
            view = "" if filters.view == "not_invited" else filters.view
            rows = self._of_view(view).filter(opportunity_id__in=self.offered.values("opportunity_id"))
        else:
            rows = self._of_view(filters.view)
        if filters.reason and filters.reason != VerdictCode.ENTERED_BEFORE:
            verdicts = CORRECTABLE_VERDICTS if filters.reason == CORRECTABLE_REASON else [filters.reason]
            rows = rows.not_invited().filter(delivery__verdict__in=verdicts)
        if filters.role:
            rows = rows.filter(has_role(self.organization, filters.role))
        if filters.origin:
            rows = rows.filter(origin=filters.origin if filters.origin != NONE else "")
        if filters.owner:
            rows = self._owned(rows)
        rows = self._who_came(rows)
        if filters.q:
            rows = rows.filter(matching_candidates(self.organization, filters.q))
        return rows.with_standing().order_by(*filters.order)

    @property
    def offered(self) -> DeliveryQuerySet:
        """The deliveries of those candidates that the member sees who may be invited already."""
        offered = Delivery.objects.offered().filter(organization=self.organization, due_at__isnull=True)
        return visible(offered, self.member)

    def with_invitation_shown(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Return the candidates with the invitation that the filters found each by, where it isn't their latest.

        So a row says what waits, and has the buttons for that. One query; the candidates must not be saved.
        """
        found = list(candidates)
        matching = self._of_any_invitation.get(self.filters.view, self._came)
        if matching is not None:
            ids = [one.opportunity_id for one in found]
            of_them = matching.filter(opportunity_id__in=ids).order_by("created_at", "pk")
            newest = {one.opportunity_id: one for one in of_them}
            for candidate in found:
                candidate.invitation = newest.get(candidate.opportunity_id, candidate.invitation)
        return found

    def counts(self, views: Iterable[str]) -> dict[str, str]:
        """Return how many candidates each of these tabs shows, counted up to COUNTED; two queries."""
        tabs = {view: _Number(self._of_view(view).order_by().values("pk")[: COUNTED + 1]) for view in views}
        numbers: Mapping[str, Any] = Organization.objects.values(**tabs).get(pk=self.organization.pk)
        return {view: str(number) if number <= COUNTED else f"{COUNTED}+" for view, number in numbers.items()}

    def _owned(self, rows: CandidateQuerySet) -> CandidateQuerySet:
        """Return the candidates whose owner in Lever has the filters' address."""
        owners = OpportunityPerson.objects.filter(organization=self.organization, relation=Relation.OWNER)
        if self.filters.owner == NONE:
            return rows.exclude(opportunity_id__in=owners.values("opportunity_id"))
        of_one = owners.filter(email=self.filters.owner)
        return rows.filter(opportunity_id__in=of_one.values("opportunity_id"))

    def _who_came(self, rows: CandidateQuerySet) -> CandidateQuerySet:
        """Return the candidates who came to the filters' step on their days, with the assessment, and what followed."""
        filters, came = self.filters, self._came
        if came is not None:
            rows = rows.filter(opportunity_id__in=came.values("opportunity_id"))
        elif filters.assessment:
            rows = rows.filter(assessment_name=filters.assessment)
        if Step(filters.step) is Step.ENTERED:
            rows = within_days(rows, "entered_at", filters.since, filters.until)
        return rows

    @property
    def _came(self) -> QuerySet[Invitation] | None:
        """The invitations that came to the filters' step, and became what they say; None where they say neither."""
        filters, step = self.filters, Step(self.filters.step)
        if step is Step.ENTERED and not filters.became:
            return None
        came = Invitation.objects.filter(organization=self.organization).with_steps()
        if filters.assessment:
            came = came.filter(assessment_name=filters.assessment)
        if step in OUTCOMES:
            stated = Result.objects.of_latest_attempts().filter(
                organization=self.organization, outcome=OUTCOMES[step]
            )
            on_days = within_days(stated, "created_at", filters.since, filters.until)
            came = came.filter(pk__in=on_days.values("invitation"))
        if column := TIMES.get(step):
            # whatever came to a step since then also changed since then, and changed_at has an index
            changed = within_days(came, "changed_at", filters.since, "").exclude(**{column: None})
            came = within_days(changed, column, filters.since, filters.until)
        if filters.became:
            came = came.filter(CONDITIONS[Became(filters.became)])
        return came

    def _of_view(self, view: str) -> CandidateQuerySet:
        rows = visible(Candidate.objects.filter(organization=self.organization), self.member)
        if self.filters.mine:
            rows = own(rows, self.member)
        if view == "attention":
            return rows.filter(opportunity_id__in=self._attention)
        if view in self._of_any_invitation:
            found = self._of_any_invitation[view].order_by("-created_at", "-pk")
            return rows.filter(opportunity_id__in=found.values("opportunity_id")[:MOST])
        if view == "not_invited":
            return rows.not_invited()
        if view == "completed":
            return self._invited(rows, status=InvitationStatus.COMPLETED).filter(outcome="")
        if view in _STATUSES:
            of_status = self._invited(rows, status__in=_STATUSES[view])
            if view == "cancelled":
                return of_status
            return of_status.filter(invitation__following_ended="").exclude(invitation__in=self._bounced)
        if view in OUTCOMES:
            return rows.filter(outcome=OUTCOMES[view])
        return rows

    def _invited(self, rows: CandidateQuerySet, **conditions: object) -> CandidateQuerySet:
        """Return the candidates whose invitation meets the conditions.

        The invitation's organization is stated too: only then does an index of the invitations find the few.
        """
        invitations = {f"invitation__{name}": value for name, value in conditions.items()}
        return rows.filter(invitation__organization=self.organization, **invitations)

    @property
    def _bounced(self) -> QuerySet[Invitation]:
        return Invitation.objects.bounced().filter(organization=self.organization)

    @property
    def _of_any_invitation(self) -> dict[str, QuerySet[Invitation]]:
        """The invitations of each saved filter that counts a candidate's earlier ones like the latest."""
        invitations = Invitation.objects.filter(organization=self.organization)
        lately = midnight(timezone.localdate() - ENDED_SHOWN_FOR)
        only_person_ends = Q(status__in=NEED_PERSON) | Q(awaits_decision_since__isnull=False) | HAS_BOUNCED
        return {
            "attention": invitations.filter(only_person_ends),
            "held": invitations.filter(status=InvitationStatus.HELD),
            "uncertain": invitations.filter(status=InvitationStatus.UNCERTAIN),
            "not_sent": invitations.not_sent(),
            "undecided": invitations.awaiting_decision(),
            "no_result": invitations.ended_without_result().filter(following_ended_at__gte=lately),
            "bounced": self._bounced,
        }

    @cached_property
    def _attention(self) -> list[str]:
        """The opportunities of the candidates that wait for somebody's act; one query.

        A condition over candidates and joined tables could use no index: each kind is found by its own. What only a
        person can end counts for every invitation of the candidate, anything else for the latest.
        """
        since = timezone.now() - timedelta(days=ATTENTION_DAYS)
        invitations = Invitation.objects.filter(organization=self.organization)
        latest = invitations.filter(candidates__isnull=False)
        uninvited = Candidate.objects.filter(organization=self.organization).not_invited()
        kinds: tuple[QuerySet[Any, Any], ...] = (
            self._of_any_invitation["attention"],
            latest.not_sent().filter(created_at__gte=since),
            latest.ended_without_result().filter(following_ended_at__gte=since),
            Effect.objects.failed_steps().filter(organization=self.organization).exclude(opportunity_id=""),
            uninvited.filter(entered_at__gte=since, delivery__verdict__in=CORRECTABLE_VERDICTS),
        )
        first, *others = [
            kind.order_by()
            .annotate(since=F("entered_at" if kind.model is Candidate else "created_at"))
            .values_list("opportunity_id", "since")
            for kind in kinds
        ]
        newest = first.union(*others, all=True).order_by("-since")[:MOST]
        return [opportunity_id for opportunity_id, _ in newest]
