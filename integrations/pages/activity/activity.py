"""Everyone who entered a CodeScreen stage; and the technical lists of invitations, deliveries and effects."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from integrations.catalog.models import Assessment, Role
from integrations.core.invitation_status import NO_RESULT, InvitationStatus
from integrations.inbox.models.delivery import STUCK, Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lists import LongListPaginator
from integrations.outbox.models import Effect
from integrations.pages.access import OrganizationMixin, visible
from integrations.pages.activity.candidate_filters import (
    ATTENTION_DAYS,
    REASONS,
    VIEWS,
    CandidateFilters,
    CandidateSearch,
    Step,
    has_role,
)
from integrations.pages.activity.rows import (
    candidate_rows,
    delivery_rows,
    effect_rows,
    invitation_rows,
    with_later_round,
    with_latest_verdict,
)
from integrations.pages.activity.search import (
    matching_by_candidate,
    matching_deliveries,
    matching_invitations,
)
from integrations.pages.days import of_days
from integrations.pages.overview.counts import waiting_for_a_person
from integrations.pages.partials import PartialsMixin

PAGE_SIZE = 50
#: So many roles and assessments are offered to choose from; the search finds the others.
MOST_CHOICES = 300
AWAITS_DECISION = "awaits_decision"
FOLLOWED_IN_VAIN = "no_longer_followed"
UNDECIDED = "undecided"
STUCK_DELIVERIES = "stuck"
LISTS = {
    "candidates": "Candidates",
    "invitations": "Invitations",
    "deliveries": "Deliveries",
    "effects": "Effects",
}


@dataclass(frozen=True)
class Filter:
    """The pick-list above a list: its parameter in the address, its choices, and what is chosen."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    chosen: str


class ActivityView(OrganizationMixin, PartialsMixin):
    """Show one of the four lists; the filters are in the address."""

    template_name = "integrations/activity.html"
    partials = {"list": "integrations/_activity_list.html"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page of the chosen list."""
        shown_list = self.shown_list()
        query = self.request.GET.get("q", "").strip()[:300]
        read = {
            "candidates": self._candidates,
            "invitations": self._invitations,
            "deliveries": self._deliveries,
            "effects": self._effects,
        }
        context = read[shown_list](query)
        return super().get_context_data(
            shown_list=shown_list,
            lists=LISTS,
            q=query,
            since=self._since(),
            until=self._until(),
            role=self._role(),
            now=timezone.now(),
            **context,
            **kwargs,
        )

    def shown_list(self) -> str:
        """Return the list that the address names, or the one that its filter is of."""
        name = self.request.GET.get("show", "")
        if name in LISTS:
            return name
        implied = {"status": "invitations", "verdict": "deliveries", "state": "effects"}
        return next((shown for name, shown in implied.items() if self.request.GET.get(name)), "candidates")

    def _candidates(self, _query: str) -> dict[str, Any]:
        filters = CandidateFilters.of_address(self.request.GET)
        search = CandidateSearch(self.membership, filters)
        page = self._page(search.rows())
        # they are of everybody, so beside a list of some they would be other numbers than their lists'
        counts = {} if self.partial or filters.is_set else search.counts()
        rows = candidate_rows(page)
        has_held = any(one.invitation and one.invitation.status == InvitationStatus.HELD for one in page)
        has_uninvited = any(row.may_be_invited for row in rows)
        return {
            "filters": filters,
            "is_filtered": filters.is_set or bool(filters.view),
            "views": [(code, label, counts.get(code, "")) for code, label in VIEWS.items()],
            "attention_days": ATTENTION_DAYS,
            "may_tick": self.membership.may_configure and (has_held or has_uninvited),
            "has_held": has_held,
            "has_uninvited": has_uninvited,
            "page": page,
            "rows": rows,
            **({} if self.partial else self._choices(filters)),
        }

    def _choices(self, filters: CandidateFilters) -> dict[str, Any]:
        """Return what the pick-lists offer; what is chosen is among it."""
        assessments = Assessment.objects.live().filter(organization=self.organization).order_by("name")
        return {
            "roles": self._roles(filters.role),
            "assessments": _with(
                filters.assessment, assessments.values_list("name", flat=True).distinct()[:MOST_CHOICES]
            ),
            "steps": Step.choices(),
            "reasons": sorted(REASONS.items(), key=lambda one: one[1]),
        }

    def _roles(self, chosen: str) -> list[str]:
        roles = Role.objects.live().filter(organization=self.organization).order_by("title")
        return _with(chosen, roles.values_list("title", flat=True).distinct()[:MOST_CHOICES])

    def _invitations(self, query: str) -> dict[str, Any]:
        invitations = visible(Invitation.objects.filter(organization=self.organization), self.membership)
        chosen = self._chosen("status", [*Invitation.Status, AWAITS_DECISION, FOLLOWED_IN_VAIN])
        if chosen == AWAITS_DECISION:
            invitations = invitations.awaiting_decision()
        elif chosen == FOLLOWED_IN_VAIN:
            invitations = invitations.ended_without_result()
        elif chosen:
            invitations = invitations.filter(status=chosen)
        if self._role():
            invitations = invitations.filter(role_title=self._role())
        if query:
            invitations = invitations.filter(matching_invitations(query))
        choices = [
            *Invitation.Status.choices(),
            (AWAITS_DECISION, "Failed, waits for a decision"),
            (FOLLOWED_IN_VAIN, f"{NO_RESULT.label}, no longer asked for"),
        ]
        column = "following_ended_at" if chosen == FOLLOWED_IN_VAIN else "created_at"
        annotated = with_latest_verdict(with_later_round(self._of_days(invitations, column)))
        page = self._page(annotated.order_by("-created_at", "-pk"))
        return self._technical(
            Filter("status", "Status", choices, chosen), page, invitation_rows(page), query
        )

    def _deliveries(self, query: str) -> dict[str, Any]:
        deliveries = visible(Delivery.objects.filter(organization=self.organization), self.membership)
        deliveries = deliveries.select_related("invitation").defer("traceback")
        chosen = self._chosen("verdict", [*Delivery.VerdictCode, UNDECIDED, STUCK_DELIVERIES])
        if chosen == STUCK_DELIVERIES:
            deliveries = deliveries.filter(STUCK)
        elif chosen:
            deliveries = deliveries.filter(verdict="" if chosen == UNDECIDED else chosen)
        deliveries = self._of_role(deliveries)
        if query:
            deliveries = deliveries.filter(matching_deliveries(self.organization, query))
        choices = [
            *Delivery.VerdictCode.choices(),
            (UNDECIDED, "Not decided yet"),
            (STUCK_DELIVERIES, "Could not be decided"),
        ]
        page = self._page(self._of_days(deliveries, "received_at").order_by("-received_at", "-pk"))
        is_offered = chosen == Delivery.VerdictCode.ENTERED_BEFORE
        return {
            "offered_up_to": self._offered_up_to() if is_offered else None,
            **self._technical(
                Filter("verdict", "Verdict", choices, chosen),
                page,
                delivery_rows(self.organization, page),
                query,
            ),
        }

    def _offered_up_to(self) -> int | None:
        """Return the id of the last delivery whose candidate may be invited; None when there is none."""
        offered = Delivery.objects.offered().filter(organization=self.organization, due_at__isnull=True)
        return offered.order_by("-pk").values_list("pk", flat=True).first()

    def _effects(self, query: str) -> dict[str, Any]:
        effects = visible(Effect.objects.filter(organization=self.organization), self.membership)
        effects = effects.select_related("invitation").defer("traceback")
        chosen = self._chosen("state", Effect.State.values)
        if chosen:
            effects = effects.filter(state=chosen)
        effects = self._of_role(effects)
        if query:
            effects = effects.filter(matching_by_candidate(self.organization, query))
        page = self._page(self._of_days(effects, "created_at").order_by("-created_at", "-pk"))
        rows = effect_rows(self.organization, page)
        is_failed = any(effect.state == Effect.State.FAILED for effect in page)
        return {
            "may_tick": self.membership.may_retry and is_failed,
            **self._technical(Filter("state", "State", Effect.State.choices, chosen), page, rows, query),
        }

    def _technical(self, chosen: Filter, page: Any, rows: Sequence[Any], query: str) -> dict[str, Any]:
        """Return what each technical list shows."""
        return {
            "filter": chosen,
            "page": page,
            "rows": rows,
            "waiting": waiting_for_a_person(self.membership),
            "is_filtered": any([query, chosen.chosen, self._since(), self._until(), self._role()]),
            **({} if self.partial else {"roles": self._roles(self._role())}),
        }

    def _since(self) -> str:
        return self.request.GET.get("since", "").strip()[:20]

    def _until(self) -> str:
        return self.request.GET.get("until", "").strip()[:20]

    def _role(self) -> str:
        return self.request.GET.get("role", "").strip()[:300]

    def _of_role[Rows: QuerySet[Any]](self, rows: Rows) -> Rows:
        """Return the rows about candidates of the role in the address."""
        if not self._role():
            return rows
        candidates = Candidate.objects.filter(
            has_role(self.organization, self._role()), organization=self.organization
        )
        return rows.filter(opportunity_id__in=candidates.values("opportunity_id"))

    def _of_days[Rows: QuerySet[Any]](self, rows: Rows, column: str) -> Rows:
        return of_days(rows, column, self._since(), self._until())

    def _page(self, rows: QuerySet[Any]) -> Any:
        return LongListPaginator(rows, PAGE_SIZE).get_page(self.request.GET.get("page"))

    def _chosen(self, parameter: str, allowed: Collection[str]) -> str:
        value = self.request.GET.get(parameter, "")
        return value if value in allowed else ""


def _with(chosen: str, names: QuerySet[Any, str]) -> list[str]:
    found = list(names)
    return found if not chosen or chosen in found else [chosen, *found]
