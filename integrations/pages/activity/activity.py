"""Every invitation, every delivery with its verdict, and every effect: filtered, 50 at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from integrations.models import Delivery, Effect, Invitation
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.rows import (
    delivery_rows,
    invitation_rows,
    with_later_round,
    with_latest_verdict,
)
from integrations.pages.activity.search import (
    matching_by_invitation,
    matching_deliveries,
    matching_invitations,
)
from integrations.pages.overview.counts import waiting_for_a_person
from integrations.pages.partials import PartialsMixin
from integrations.pages.visibility import visible
from integrations.pagination import LongListPaginator

PAGE_SIZE = 50
AWAITS_DECISION = "awaits_decision"
FOLLOWED_IN_VAIN = "no_longer_followed"
UNDECIDED = "undecided"
LISTS = {"invitations": "Invitations", "deliveries": "Deliveries", "effects": "Effects"}


@dataclass(frozen=True)
class Filter:
    """The pick-list above a list: its parameter in the address, its choices, and what is chosen."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    chosen: str


class ActivityView(OrganizationMixin, PartialsMixin):
    """Show one of the three lists; the filters are in the address."""

    template_name = "integrations/activity.html"
    partials = {"list": "integrations/_activity_list.html"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page of the chosen list."""
        shown_list = self.shown_list()
        query = self.request.GET.get("q", "").strip()[:200]
        if shown_list == "deliveries":
            context = self._deliveries(query)
        elif shown_list == "effects":
            context = self._effects(query)
        else:
            context = self._invitations(query)
        return super().get_context_data(
            shown_list=shown_list,
            lists=LISTS,
            q=query,
            is_filtered=bool(query or context["filter"].chosen),
            waiting=waiting_for_a_person(self.membership),
            now=timezone.now(),
            **context,
            **kwargs,
        )

    def shown_list(self) -> str:
        """Return the list that the address names; a verdict implies deliveries, an effect's state effects."""
        name = self.request.GET.get("show", "")
        if name in LISTS:
            return name
        if self.request.GET.get("verdict"):
            return "deliveries"
        return "effects" if self.request.GET.get("state") else "invitations"

    def _invitations(self, query: str) -> dict[str, Any]:
        invitations = visible(Invitation.objects.filter(organization=self.organization), self.membership)
        chosen = self._chosen("status", [*Invitation.Status, AWAITS_DECISION, FOLLOWED_IN_VAIN])
        if chosen == AWAITS_DECISION:
            invitations = invitations.awaiting_decision()
        elif chosen == FOLLOWED_IN_VAIN:
            invitations = invitations.ended_without_result()
        elif chosen:
            invitations = invitations.filter(status=chosen)
        if query:
            invitations = invitations.filter(matching_invitations(query))
        choices = [
            *Invitation.Status.choices(),
            (AWAITS_DECISION, "Failed, waits for a decision"),
            (FOLLOWED_IN_VAIN, "No longer followed, without a result"),
        ]
        annotated = with_latest_verdict(with_later_round(invitations))
        page = self._page(annotated.order_by("-created_at", "-pk"))
        return {
            "filter": Filter("status", "Status", choices, chosen),
            "page": page,
            "rows": invitation_rows(page),
        }

    def _deliveries(self, query: str) -> dict[str, Any]:
        deliveries = visible(Delivery.objects.filter(organization=self.organization), self.membership)
        deliveries = deliveries.select_related("invitation").defer("traceback")
        chosen = self._chosen("verdict", [*Delivery.VerdictCode, UNDECIDED])
        if chosen:
            deliveries = deliveries.filter(verdict="" if chosen == UNDECIDED else chosen)
        if query:
            deliveries = deliveries.filter(matching_deliveries(self.organization, query))
        choices = [*Delivery.VerdictCode.choices(), (UNDECIDED, "Not decided yet")]
        page = self._page(deliveries.order_by("-received_at", "-pk"))
        return {
            "offered_up_to": self._offered_up_to() if chosen == Delivery.VerdictCode.ENTERED_BEFORE else None,
            "filter": Filter("verdict", "Verdict", choices, chosen),
            "page": page,
            "rows": delivery_rows(self.organization, page),
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
        if query:
            effects = effects.filter(matching_by_invitation(self.organization, query))
        page = self._page(effects.order_by("-created_at", "-pk"))
        return {"filter": Filter("state", "State", Effect.State.choices, chosen), "page": page, "rows": page}

    def _page(self, rows: QuerySet[Any]) -> Any:
        return LongListPaginator(rows, PAGE_SIZE).get_page(self.request.GET.get("page"))

    def _chosen(self, parameter: str, allowed: Collection[str]) -> str:
        value = self.request.GET.get(parameter, "")
        return value if value in allowed else ""
