"""The mappings page: what each role gets, the mappings, and the linter's findings."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.views.generic import TemplateView

from integrations.models import LinterFinding, Role, RoleMapping, Stage
from integrations.models.membership import TEAM
from integrations.pages.access import OrganizationMixin, return_url
from integrations.pages.mappings.effective_assessments import FILTERS, EffectiveAssessments
from integrations.pages.mappings.suggestions import suggestions
from integrations.workflow.catalog.trigger_policy import trigger_stages
from integrations.workflow.health import linter_history

PAGE_SIZE = 50
MAX_SEARCHED = 3000  # roles whose effective assessment a search or filter works out


def list_url(request: HttpRequest) -> str:
    """Return the filtered list that a form was sent from, or the whole list."""
    return return_url(request, reverse("mapping-list"))


class MappingListView(OrganizationMixin, TemplateView):
    """Show the mappings and, for one trigger stage, what each role gets."""

    template_name = "integrations/rolemapping_list.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page of mappings and one of roles."""
        query = self.request.GET.get("q", "").strip()[:200]
        show = self.request.GET.get("show", "")
        show = show if show in FILTERS else ""
        stages = trigger_stages(self.organization)
        stage = self._chosen_stage(stages)
        effective = EffectiveAssessments(self.organization, stage)
        roles: QuerySet[Role] | list[Role] = (
            Role.objects.live().filter(organization=self.organization).order_by("title", "pk")
        )
        if query or show:
            roles = effective.matching(roles[:MAX_SEARCHED], query, show)
        role_page = Paginator(roles, PAGE_SIZE).get_page(self.request.GET.get("roles"))
        answers = [effective.of(role) for role in role_page]
        findings = LinterFinding.objects.filter(organization=self.organization)
        return super().get_context_data(
            q=query,
            show=show,
            filters={"": "All roles", **{code: choice.label for code, choice in FILTERS.items()}},
            stages=stages,
            stage=stage,
            role_page=role_page,
            rows=list(zip(answers, self._addresses([answer.role for answer in answers], stage), strict=True)),
            return_here=self._return_here(),
            mapping_page=Paginator(self._mappings(query), PAGE_SIZE).get_page(self.request.GET.get("page")),
            linter=linter_history.compare_with_history(self.organization),
            checked_at=findings.aggregate(at=Max("last_seen_at"))["at"],
            **suggestions(self.organization),
            **kwargs,
        )

    def _return_here(self) -> str:
        """Return the parameter with which a form returns to the list as it is filtered."""
        return urlencode({"next": self.request.get_full_path()})

    def _addresses(self, roles: Sequence[Role], stage: Stage | None) -> list[str]:
        """Return, for each role, the page that changes the mapping which counts for it, or adds one."""
        names = [name for role in roles for name in (role.title, role.external_id)]
        stages = ["", stage.name, stage.external_id] if stage else [""]
        mappings = RoleMapping.objects.filter(
            organization=self.organization, role__in=names, stage__in=stages
        )
        found = {mapping.role: mapping.pk for mapping in mappings.order_by("stage", "pk")}
        titles = Counter(role.title for role in roles)
        addresses = []
        for role in roles:
            pk = found.get(role.external_id) or found.get(role.title)
            name = role.title if role.title and titles[role.title] == 1 else role.external_id
            page = reverse("mapping-edit", args=[pk]) if pk else reverse("mapping-add")
            role_named = "" if pk else f"{urlencode({'role': name})}&"
            addresses.append(f"{page}?{role_named}{self._return_here()}")
        return addresses

    def _mappings(self, query: str) -> QuerySet[RoleMapping]:
        mappings = RoleMapping.objects.filter(organization=self.organization).order_by("role", "stage")
        if query:
            mappings = mappings.filter(Q(role__icontains=query) | Q(assessment__icontains=query))
        return mappings

    def _chosen_stage(self, stages: Sequence[Stage]) -> Stage | None:
        """Return the stage that the address names, or the first trigger stage."""
        stage_id = self.request.GET.get("stage", "")
        first = stages[0] if stages else None
        return next((stage for stage in stages if stage.external_id == stage_id), first)
