"""The list of candidates: everyone who entered a CodeScreen stage, invited or not; and the same as CSV."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import batched
from operator import itemgetter
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.text import capfirst

from integrations.catalog.models import Assessment, Role
from integrations.core.invitation_status import InvitationStatus
from integrations.core.vocabulary import Origin
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import CandidateQuerySet, count_candidates
from integrations.members.models.membership import NOT_FOUND_IN_LEVER, TEAM
from integrations.outbox.models.effect import Effect
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.candidate_filters import (
    ATTENTION_DAYS,
    LATEST_FIRST,
    NONE,
    REASONS,
    SORTED_BY,
    STATUSES,
    VIEWS,
    Became,
    CandidateFilters,
    Step,
)
from integrations.pages.activity.candidate_search import CandidateSearch
from integrations.pages.activity.rows import candidate_rows
from integrations.pages.views import ListExport, PartialsMixin

PAGE_SIZE = 20
#: So many roles and assessments are offered to choose from; the search finds the others.
MOST_CHOICES = 300


class ActivityView(OrganizationMixin, PartialsMixin):
    """Show the candidates; the filters are in the address."""

    template_name = "integrations/activity.html"
    partials = {"list": "integrations/_activity_list.html"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        filters = CandidateFilters.of_address(self.request.GET)
        search = CandidateSearch(self.membership, filters)
        page = Paginator(search.rows(), PAGE_SIZE).get_page(self.request.GET.get("page"))
        candidates = search.with_invitation_shown(page)
        rows = candidate_rows(candidates, search.today)
        member = self.membership
        may_approve_some = member.may_approve and any(
            one.invitation and one.invitation.status == InvitationStatus.HELD for one in candidates
        )
        may_decide_some = member.may_configure and any(row.may_be_invited for row in rows)
        return super().get_context_data(
            filters=filters,
            not_found=NOT_FOUND_IN_LEVER,
            is_filtered=filters.is_set or bool(filters.view or filters.mine),
            views=VIEWS,
            # it is of everybody, so beside a list of some it would be another number than the tab's
            needs_attention=0 if self.partial or filters.is_set else search.need_attention(),
            heads=_sorted_heads(filters),
            attention_days=ATTENTION_DAYS,
            may_tick=may_approve_some or may_decide_some,
            may_approve_some=may_approve_some,
            may_decide_some=may_decide_some,
            page=page,
            rows=rows,
            **({} if self.partial else self._choices(filters) | self._together(search)),
            **kwargs,
        )

    def _choices(self, filters: CandidateFilters) -> dict[str, Any]:
        """Return what the pick-lists offer; what is chosen is among it."""
        roles = Role.objects.live().filter(organization=self.organization).order_by("title")
        assessments = Assessment.objects.live().filter(organization=self.organization).order_by("name")
        return {
            "statuses": STATUSES.items(),
            "roles": _with(filters.role, roles.values_list("title", flat=True)),
            "assessments": _with(filters.assessment, assessments.values_list("name", flat=True)),
            "owners": [(filters.owner, "Not known" if filters.owner == NONE else filters.owner)],
            "origins": [*Origin.choices(), (NONE, "Not known")],
            "steps": Step.choices(),
            "followed": Became.choices()[1:],
            "reasons": [(code, capfirst(text)) for code, text in sorted(REASONS.items(), key=itemgetter(1))],
        }

    def _together(self, search: CandidateSearch) -> dict[str, Any]:
        """Return what can be done for all at once: retry what failed, and invite who may be invited already."""
        if search.filters.view == "attention" and self.membership.may_retry_effects:
            failed = Effect.objects.failed_steps().filter(organization=self.organization)
            return {"may_retry_all": failed.exists()}
        # beside any other filter the button would invite people who aren't shown
        everybody = CandidateFilters(view="not_invited", reason=Delivery.VerdictCode.ENTERED_BEFORE)
        if replace(search.filters, sort="") not in {everybody, replace(everybody, view="")}:
            return {}
        last = search.offered.order_by("-pk").values_list("pk", flat=True).first()
        return {"offered": count_candidates(search.offered), "offered_up_to": last}


@dataclass(frozen=True)
class SortedHead:
    """The head of a column that sorts: the order that its link asks for, and the direction it has now, if any."""

    sort: str
    direction: str = ""


def _sorted_heads(filters: CandidateFilters) -> dict[str, SortedHead]:
    """Return the heads of the columns that sort."""
    current = filters.sort or LATEST_FIRST
    heads = {name: SortedHead(LATEST_FIRST if name == "entered" else name) for name in SORTED_BY}
    column = current.removeprefix("-")
    is_turned = current.startswith("-")
    heads[column] = SortedHead(
        column if is_turned else f"-{column}", "descending" if is_turned else "ascending"
    )
    return heads


def _with(chosen: str, names: QuerySet[Any, str]) -> list[tuple[str, str]]:
    found = list(names.distinct()[:MOST_CHOICES])
    shown = found if not chosen or chosen in found else [chosen, *found]
    return [(name, "No role" if name == NONE else name) for name in shown]


COLUMNS = (
    "entered at (UTC)",
    "name",
    "e-mail address",
    "role",
    "stage",
    "assessment",
    "outcome",
    "result",
    "next",
    "why",
    "invited at (UTC)",
    "completed at (UTC)",
    "opportunity id",
)
READ_AT_ONCE = 500


class CandidateExportView(ListExport):
    """The candidates that the filters show, for members who see all of them."""

    list_name = "candidates"
    list_page = "activity"
    allowed_roles = TEAM

    def get(self, request: HttpRequest) -> HttpResponseBase:
        search = CandidateSearch(self.membership, CandidateFilters.of_address(request.GET))
        filename = f"candidates-{self.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
        return self.file(filename, COLUMNS, _lines(search, search.rows()))


def _lines(search: CandidateSearch, candidates: CandidateQuerySet) -> Iterator[tuple[object, ...]]:
    for some in batched(candidates.iterator(chunk_size=READ_AT_ONCE), READ_AT_ONCE):
        for row in candidate_rows(search.with_invitation_shown(some), search.today):
            candidate, invitation = row.candidate, row.candidate.invitation
            yield (
                candidate.entered_at,
                candidate.name,
                candidate.email,
                candidate.role_title,
                candidate.stage_name,
                row.assessment,
                row.standing.whole,
                row.result,
                row.standing.next,
                row.explanation,
                invitation.invited_at if invitation else None,
                invitation.completed_at if invitation else None,
                candidate.opportunity_id,
            )
