"""The candidates that a member sees, by the filters of an address."""

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.catalog.models import Role
from integrations.core.invitation_status import NEED_PERSON, InvitationStatus
from integrations.core.verdict_code import CORRECTABLE_VERDICTS, VerdictCode
from integrations.inbox.models.delivery import Delivery, DeliveryQuerySet
from integrations.inbox.today import Today
from integrations.invitations.models.candidate import (
    Candidate,
    CandidateQuerySet,
    OpportunityPerson,
    Relation,
)
from integrations.invitations.models.invitation import NOT_SENT, Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.pages.access import own, visible
from integrations.pages.activity.candidate_filters import (
    ATTENTION_DAYS,
    CONDITIONS,
    CORRECTABLE_REASON,
    FREED_REASON,
    NONE,
    OUTCOMES,
    TIMES,
    Became,
    CandidateFilters,
    Step,
)
from integrations.pages.times import within_days

_Status = InvitationStatus
#: What waits for a person, by tab or status: it counts for every invitation of a candidate.
_OF_ANY_INVITATION = {
    "attention": Q(status__in=NEED_PERSON),
    "held": Q(status=_Status.HELD),
    "uncertain": Q(status=_Status.UNCERTAIN),
    "not_sent": NOT_SENT,
}
_IS_FOLLOWED = Q(invitation__following_ended="")
#: What the latest invitation of a candidate meets, by tab or status.
_OF_LATEST = {
    "done": Q(invitation__status__in=(_Status.COMPLETED, _Status.WITHDRAWN))
    | Q(invitation__following_ended__gt=""),
    "pending": _IS_FOLLOWED & Q(invitation__status__in=(_Status.PENDING, _Status.SENDING)),
    "invited": _IS_FOLLOWED & Q(invitation__status=_Status.INVITED),
    "in_progress": _IS_FOLLOWED & Q(invitation__status=_Status.IN_PROGRESS),
    "submitted": _IS_FOLLOWED & Q(invitation__status=_Status.SUBMITTED),
    **{code: Q(outcome=outcome) for code, outcome in OUTCOMES.items()},
    "completed": Q(invitation__status=_Status.COMPLETED, outcome=""),
    "cancelled": Q(invitation__status=_Status.WITHDRAWN),
}
#: Of those that need attention, or a person's act, the newest are shown, at most this many.
MOST = 2_000


#: The address of a candidate's page in Lever, such as https://hire.lever.co/candidates/<id>.
_LEVER_LINK = re.compile(
    r"https?://[^/\s]+/(?:[^?#\s]*/)?(?:candidates|opportunities)/([^/?#\s]+)", re.IGNORECASE
)


class CandidateSearch:
    """The candidates that a member sees, by the filters of an address; why one is not invited is judged by `today`."""

    def __init__(self, member: Membership, filters: CandidateFilters, today: Today | None = None) -> None:
        self.member, self.filters = member, filters
        self.organization = member.organization
        self.today = today or Today(member.organization)

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
            rows = rows.not_invited().filter(self._reason_is(filters.reason))
        rows = self._standing(rows, filters.status)
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

    def _reason_is(self, reason: str) -> Q:
        """Return the condition for candidates who are not invited for this reason: that of now where it changed."""
        codes = CORRECTABLE_VERDICTS if reason == CORRECTABLE_REASON else (reason,)
        with_freed = reason in {CORRECTABLE_REASON, FREED_REASON}
        changed = self.today.changed
        now = [
            key
            for key, one in changed.items()
            if one.decision.verdict in codes or (with_freed and one.is_freed)
        ]
        stored = Q(delivery__verdict__in=codes)
        return stored & ~Q(pk__in=list(changed)) | Q(pk__in=now) if changed else stored

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
        matching = self._of_any_invitation(self.filters.status or self.filters.view)
        if matching is None:
            matching = self._came
        if matching is not None:
            ids = [one.opportunity_id for one in found]
            of_them = matching.filter(opportunity_id__in=ids).order_by("created_at", "pk")
            newest = {one.opportunity_id: one for one in of_them}
            for candidate in found:
                candidate.invitation = newest.get(candidate.opportunity_id, candidate.invitation)
        return found

    def need_attention(self) -> int:
        """Return how many candidates the tab of those who wait for somebody's act shows; two queries."""
        return self._of_view("attention").count()

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
        if view == "not_invited":
            return rows.not_invited()
        return self._standing(rows, view)

    def _standing(self, rows: CandidateQuerySet, code: str) -> CandidateQuerySet:
        """Return the candidates who stand so: the code of a status, or of a tab of those who were invited."""
        if (waiting := self._of_any_invitation(code)) is not None:
            newest = waiting.order_by("-created_at", "-pk").values("opportunity_id")[:MOST]
            return rows.filter(opportunity_id__in=newest)
        if code in OUTCOMES:
            return rows.filter(_OF_LATEST[code])
        if code in _OF_LATEST:
            # the invitation's organization is stated too: only then does an index of the invitations find the few
            return rows.filter(_OF_LATEST[code], invitation__organization=self.organization)
        return rows

    def _of_any_invitation(self, code: str) -> QuerySet[Invitation] | None:
        """Return the organization's invitations that wait for a person so; None for another code."""
        if code not in _OF_ANY_INVITATION:
            return None
        return Invitation.objects.filter(_OF_ANY_INVITATION[code], organization=self.organization)

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
            invitations.filter(_OF_ANY_INVITATION["attention"]),
            latest.not_sent().filter(created_at__gte=since),
            latest.ended_without_result().filter(following_ended_at__gte=since),
            Effect.objects.failed_steps().filter(organization=self.organization).exclude(opportunity_id=""),
            uninvited.filter(self._reason_is(CORRECTABLE_REASON), entered_at__gte=since),
        )
        first, *others = [
            kind.order_by()
            .annotate(since=F("entered_at" if kind.model is Candidate else "created_at"))
            .values_list("opportunity_id", "since")
            for kind in kinds
        ]
        newest = first.union(*others, all=True).order_by("-since")[:MOST]
        return [opportunity_id for opportunity_id, _ in newest]


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


def role_titles(organization: Organization) -> dict[str, str]:
    """Return the titles of the roles by their ids: a candidate is counted under it, and `has_role` finds them by it."""
    return dict(_titled(organization).values_list("external_id", "title"))


def has_role(organization: Organization, title: str) -> Q:
    """Return the condition for candidates of the roles with this title; one query.

    Of a role whose title isn't known, that counts which was shown with the candidate.
    """
    titled = _titled(organization)
    ids = list(titled.filter(title=title).values_list("external_id", flat=True))
    is_alone = Q(role_title="" if title == NONE else title) & ~Q(role_id__in=titled.values("external_id"))
    return Q(role_id__in=ids) | is_alone


def _titled(organization: Organization) -> QuerySet[Role]:
    return Role.objects.filter(organization=organization).exclude(title="")
