"""What happened: every invitation, every delivery with its verdict, every effect; filtered, 50 at a time."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from integrations.models import Delivery, Effect, Invitation, Stage
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.candidate import later_rounds
from integrations.pages.activity.result_labels import with_results
from integrations.pages.activity.verdicts import with_next_steps
from integrations.pages.overview.overview import waiting
from integrations.pages.partials import LivePartsMixin

PAGE = 50
AWAITS_DECISION = "awaits_decision"
LISTS = {"invitations": "Invitations", "deliveries": "Deliveries", "effects": "Effects"}


class ActivityView(OrganizationMixin, LivePartsMixin):
    """One of three lists, with its filters in the address."""

    template_name = "integrations/activity.html"
    live_parts = {"list": "integrations/_activity_list.html"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page of the list that was asked for."""
        show, query = self.shown_list(), self.request.GET.get("q", "").strip()[:200]
        rows, filters = getattr(self, f"_{show}")(query)
        page = Paginator(rows, PAGE).get_page(self.request.GET.get("page"))
        if show == "deliveries":
            _name_stages(list(page), self.organization.pk)
        if show != "effects":
            with_next_steps(page)
        if show == "invitations":
            with_results(page)
        return super().get_context_data(
            show=show,
            lists=LISTS,
            q=query,
            page=page,
            is_filtered=bool(query or filters.get("chosen")),
            waiting=waiting(self.organization),
            now=timezone.now(),
            **filters,
            **kwargs,
        )

    def shown_list(self) -> str:
        """Return which list the address asks for; a verdict means deliveries, an effect's state effects."""
        asked = self.request.GET.get("show", "")
        if asked in LISTS:
            return asked
        if self.request.GET.get("verdict"):
            return "deliveries"
        return "effects" if self.request.GET.get("state") else "invitations"

    def _invitations(self, query: str) -> tuple[QuerySet[Any], dict[str, Any]]:
        latest = Delivery.objects.filter(
            invitation=OuterRef("pk"), platform=Delivery.Platform.LEVER
        ).order_by("-received_at", "-pk")
        rows = Invitation.objects.filter(organization=self.organization).annotate(
            verdict=Subquery(latest.values("verdict")[:1]),
            explanation=Subquery(latest.values("explanation")[:1]),
            has_later=Exists(later_rounds()),
        )
        chosen = self._chosen("status", [*Invitation.Status, AWAITS_DECISION])
        if chosen:
            rows = rows.awaiting_decision() if chosen == AWAITS_DECISION else rows.filter(status=chosen)
        if query:
            rows = rows.filter(_matches(query))
        options = {
            "name": "status",
            "label": "Status",
            "choices": [*Invitation.Status.choices(), (AWAITS_DECISION, "Failed, waits for a decision")],
            "chosen": chosen,
        }
        return rows.order_by("-created_at", "-pk"), options

    def _deliveries(self, query: str) -> tuple[QuerySet[Any], dict[str, Any]]:
        rows = (
            Delivery.objects.filter(organization=self.organization)
            .select_related("invitation")
            .defer("traceback")
        )
        chosen = self._chosen("verdict", [*Delivery.Verdict, "undecided"])
        if chosen:
            rows = rows.filter(verdict="" if chosen == "undecided" else chosen)
        if query:
            rows = rows.filter(
                Q(opportunity_id__iexact=query)
                | Q(explanation__icontains=query)
                | _matches(query, "invitation__")
            )
        choices = [*Delivery.Verdict.choices(), ("undecided", "Not decided yet")]
        options = {"name": "verdict", "label": "Verdict", "choices": choices, "chosen": chosen}
        return rows.order_by("-received_at", "-pk"), options

    def _effects(self, query: str) -> tuple[QuerySet[Any], dict[str, Any]]:
        rows = (
            Effect.objects.filter(organization=self.organization)
            .select_related("invitation")
            .defer("traceback")
        )
        chosen = self._chosen("state", Effect.State.values)
        if chosen:
            rows = rows.filter(state=chosen)
        if query:
            rows = rows.filter(Q(opportunity_id__iexact=query) | _matches(query, "invitation__"))
        options = {"name": "state", "label": "State", "choices": Effect.State.choices, "chosen": chosen}
        return rows.order_by("-created_at", "-pk"), options

    def _chosen(self, name: str, allowed: Any) -> str:
        asked = self.request.GET.get(name, "")
        return asked if asked in allowed else ""


def _matches(query: str, prefix: str = "") -> Q:
    found = Q()
    for column in ("role_title", "assessment_name", "candidate_name"):
        found |= Q(**{f"{prefix}{column}__icontains": query})
    return found | Q(**{f"{prefix}opportunity_id__iexact": query}) | Q(**{f"{prefix}instance_id": query})


def _name_stages(deliveries: list[Delivery], organization_id: int) -> None:
    """Give each delivery the name of the stage it speaks of, in one query."""
    wanted = {delivery.pk: _stage_id(delivery.payload) for delivery in deliveries}
    names = dict(
        Stage.objects.filter(
            organization=organization_id, external_id__in=filter(None, wanted.values())
        ).values_list("external_id", "name")
    )
    for delivery in deliveries:
        delivery.stage_name = names.get(wanted[delivery.pk], "")  # type: ignore[attr-defined]


def _stage_id(payload: Any) -> str:
    data = payload.get("data") if isinstance(payload, dict) else None
    stage = data.get("toStageId") if isinstance(data, dict) else None
    return stage if isinstance(stage, str) else ""
