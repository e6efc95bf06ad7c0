"""Which candidates the list shows: the filters that its address states, and what its search finds."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from typing import Self

from django.db.models import Count, Q, QuerySet, Value
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from integrations.catalog.models import Role
from integrations.core.invitation_status import NEED_PERSON, OPEN, InvitationStatus
from integrations.core.verdict_code import CORRECTABLE_VERDICTS, NOT_INVITED_VERDICTS, VerdictCode
from integrations.core.vocabulary import LabelledEnum, ResultOutcome
from integrations.health.checks.work import ENDED_SHOWN_FOR
from integrations.inbox.models.delivery import Delivery, DeliveryQuerySet
from integrations.invitations.models.candidate import Candidate, CandidateQuerySet
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.invitation_queries import HAS_BOUNCED
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.pages.access import own, visible
from integrations.pages.times import midnight, within_days

#: The saved filters, by their value in the address.
VIEWS = {
    "": "All",
    "attention": "Needs attention",
    "held": "On hold",
    "bounced": "Bounced",
    "not_invited": "Not invited",
    "not_started": "Not started",
    "in_progress": "In progress",
    "passed": "Passed",
    "failed": "Failed",
    "expired": "Expired",
}
#: Those that only links from the overview and from Health lead to: what waits for one kind of act.
LINKED_VIEWS = {
    "uncertain": "Possibly sent",
    "not_sent": "Could not be sent",
    "undecided": "Failed, waits for a decision",
    "no_result": f"No result in the last {ENDED_SHOWN_FOR.days} days",
}
#: The reason that stands for all about which somebody can do something.
CORRECTABLE_REASON = "correctable"
REASONS: Mapping[str, str] = {
    CORRECTABLE_REASON: "what can be corrected",
    **{code: code.record.phrase for code in NOT_INVITED_VERDICTS},
}
_OUTCOMES = {outcome.code: outcome for outcome in ResultOutcome}
_UNDER_WAY = [status for status in OPEN if status not in NEED_PERSON]
#: What went wrong longer ago needs nobody's attention any more.
ATTENTION_DAYS = 30
#: Of each kind that needs attention, the newest are shown, at most this many.
MOST = 2_000
#: The address of a candidate's page in Lever, such as https://hire.lever.co/candidates/<id>.
_LEVER_LINK = re.compile(
    r"https?://[^/\s]+/(?:[^?#\s]*/)?(?:candidates|opportunities)/([^/?#\s]+)", re.IGNORECASE
)
#: The number beside a saved filter is counted up to this, and shown with a plus beyond it.
COUNTED = 999


class Step(LabelledEnum):
    """A step of a candidate's journey."""

    MOVED = "", "Moved in Lever"
    INVITED = "invited", "Invited"
    STARTED = "started", "Started"
    SUBMITTED = "submitted", "Submitted"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


#: The time of each step that an invitation has a time of.
_TIMES: Mapping[Step, str] = {
    Step.INVITED: "invited_at",
    Step.STARTED: "begun_at",
    Step.SUBMITTED: "handed_in_at",
}


@dataclass(frozen=True)
class CandidateFilters:
    """The filters in the address, each empty when it isn't set.

    `mine` leaves those the member is on in Lever. `step`, a Step, is what `since` and `until` are the days of.
    What shows a number and links to who is counted takes both from the same filters.
    """

    view: str = ""
    mine: str = ""
    reason: str = ""
    role: str = ""
    assessment: str = ""
    step: str = ""
    since: str = ""
    until: str = ""
    q: str = ""

    @classmethod
    def of_address(cls, parameters: QueryDict) -> Self:
        """Return the filters as the address states them; what isn't a choice filters nothing."""
        stated = {name: parameters.get(name, "").strip()[:300] for name in cls.__dataclass_fields__}
        if stated["view"] not in VIEWS | LINKED_VIEWS:
            stated["view"] = ""
        if stated["reason"] not in REASONS:
            stated["reason"] = ""
        if stated["step"] not in Step:
            stated["step"] = ""
        stated["mine"] = "1" if stated["mine"] else ""
        return cls(**stated)

    @property
    def is_set(self) -> bool:
        """Whether any filter is set beside the saved one and whose candidates they are."""
        return any(value for name, value in asdict(self).items() if name not in {"view", "mine"})

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


class CandidateSearch:
    """The candidates that a member sees, by the filters of an address."""

    def __init__(self, member: Membership, filters: CandidateFilters) -> None:
        self.member, self.filters = member, filters
        self.organization = member.organization

    def rows(self) -> CandidateQuerySet:
        """Return the candidates, latest entry first, with their delivery and invitation."""
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
        if filters.assessment:
            rows = rows.filter(assessment_name=filters.assessment)
        rows = self._who_came(rows)
        if filters.q:
            rows = rows.filter(matching_candidates(self.organization, filters.q))
        return rows.with_standing().order_by("-entered_at", "-pk")

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
        matching = self._of_any_invitation.get(self.filters.view)
        if matching is not None:
            ids = [one.opportunity_id for one in found]
            of_them = matching.filter(opportunity_id__in=ids).order_by("created_at", "pk")
            newest = {one.opportunity_id: one for one in of_them}
            for candidate in found:
                candidate.invitation = newest.get(candidate.opportunity_id, candidate.invitation)
        return found

    def counts(self) -> dict[str, str]:
        """Return how many candidates each saved filter but the first shows; counted up to COUNTED."""
        counts = {}
        for view in VIEWS:
            if view:
                ones = self._of_view(view).order_by().values(one=Value(1))[: COUNTED + 1]
                count: int = ones.aggregate(counted=Count("one"))["counted"]
                counts[view] = f"{COUNTED}+" if count > COUNTED else str(count)
        return counts

    def _who_came(self, rows: CandidateQuerySet) -> CandidateQuerySet:
        """Return the candidates who came to the filters' step on their days."""
        step, since, until = Step(self.filters.step), self.filters.since, self.filters.until
        if step is Step.MOVED:
            return within_days(rows, "entered_at", since, until)
        if step in _OUTCOMES:
            stated = Result.objects.of_latest_attempts().filter(
                organization=self.organization, outcome=_OUTCOMES[step]
            )
            ids = within_days(stated, "created_at", since, until).values("invitation__opportunity_id")
            return rows.filter(opportunity_id__in=ids)
        column = _TIMES[step]
        invitations = Invitation.objects.filter(organization=self.organization)
        # whatever came to a step since then also changed since then, and changed_at has an index
        changed = within_days(invitations, "changed_at", since, "")
        came = within_days(changed.with_steps().filter(**{f"{column}__isnull": False}), column, since, until)
        return rows.filter(opportunity_id__in=came.values("opportunity_id"))

    def _of_view(self, view: str) -> CandidateQuerySet:
        rows = visible(Candidate.objects.filter(organization=self.organization), self.member)
        if self.filters.mine:
            rows = own(rows, self.member)
        if view == "attention":
            return rows.filter(pk__in=self._attention)
        if view in self._of_any_invitation:
            found = self._of_any_invitation[view].order_by("-created_at", "-pk")
            return rows.filter(opportunity_id__in=_opportunities(found))
        if view == "not_invited":
            return rows.not_invited()
        if view == "not_started":
            status = InvitationStatus.INVITED
            return self._invited(rows, status=status, bounced_at__isnull=True, following_ended="")
        if view == "in_progress":
            under_way = self._invited(rows, status__in=_UNDER_WAY, following_ended="")
            return under_way.exclude(invitation__in=self._bounced)
        if view in _OUTCOMES:
            return rows.filter(outcome=_OUTCOMES[view])
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
    def _attention(self) -> list[int]:
        """The keys of the candidates that wait for somebody's act.

        A condition over candidates and joined tables could use no index: each kind is found by its own. What only a
        person can end counts for every invitation of the candidate, anything else for the latest.
        """
        since = timezone.now() - timedelta(days=ATTENTION_DAYS)
        invitations = Invitation.objects.filter(organization=self.organization)
        candidates = Candidate.objects.filter(organization=self.organization)
        uninvited = candidates.not_invited().filter(
            entered_at__gte=since, delivery__verdict__in=CORRECTABLE_VERDICTS
        )
        latest = (
            invitations.not_sent().filter(created_at__gte=since),
            invitations.ended_without_result().filter(following_ended_at__gte=since),
        )
        keys = [pk for rows in latest for pk in _newest(rows.order_by("-created_at", "-pk"))]
        any_of_them = (
            self._of_any_invitation["attention"],
            Effect.objects.failed_steps().filter(organization=self.organization),
        )
        ids = [one for rows in any_of_them for one in _opportunities(rows.order_by("-created_at", "-pk"))]
        return [
            *candidates.filter(invitation__in=keys).values_list("pk", flat=True),
            *candidates.filter(opportunity_id__in=ids).values_list("pk", flat=True),
            *_newest(uninvited.order_by("-entered_at", "-pk")),
        ]


def matching_candidates(organization: Organization, query: str) -> Q:
    """Return the condition for candidates by name, address, role, assessment, id or a link to Lever's page; one query.

    A condition over two tables that are joined could use no index. So the invitation that matches is found first.
    """
    link = _LEVER_LINK.match(query)
    opportunity = link[1] if link else query
    instances = Invitation.objects.filter(instance_id=query, organization=organization)
    return (
        Q(name__icontains=query)
        | Q(email__icontains=query)
        | Q(role_title__icontains=query)
        | Q(assessment_name__icontains=query)
        # Lever writes its ids in small letters
        | Q(opportunity_id__in={opportunity, opportunity.lower()})
        | Q(invitation__in=list(instances.values_list("pk", flat=True)))
    )


def has_role(organization: Organization, title: str) -> Q:
    """Return the condition for candidates of the roles with this title; one query."""
    roles = Role.objects.filter(organization=organization, title=title)
    ids = list(roles.values_list("external_id", flat=True))
    return Q(role_id__in=ids) if ids else Q(role_title=title)


def _newest(rows: "QuerySet[Candidate] | QuerySet[Invitation]") -> list[int]:
    return list(rows.values_list("pk", flat=True)[:MOST])


def _opportunities(rows: "QuerySet[Invitation] | QuerySet[Effect]") -> list[str]:
    return list(rows.exclude(opportunity_id="").values_list("opportunity_id", flat=True)[:MOST])
