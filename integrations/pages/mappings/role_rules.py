"""The page of one role: its assessment and each rule that holds for its candidates, with where that comes from."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.views.generic import TemplateView

from integrations.catalog.lists import trigger_stages
from integrations.catalog.models.platform_lists import Role
from integrations.catalog.models.role_mapping import AssessmentRules, RoleMapping
from integrations.catalog.role_rules import RoleRules, rules_of_assessment
from integrations.core.rules.choose_assessment import AssessmentMatch
from integrations.members.models.membership import TEAM
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings.mapping_list import EffectiveAssessments


class RoleRulesView(OrganizationMixin, TemplateView):
    """Show what holds for a role's candidates in one trigger stage; 404 for another organization's role."""

    template_name = "integrations/role_rules.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        live = Role.objects.live().filter(organization=self.organization)
        role = get_object_or_404(live, pk=self.kwargs["pk"])
        stages = trigger_stages(self.organization)
        asked = self.request.GET.get("stage", "")
        first = stages[0] if stages else None
        stage = next((stage for stage in stages if stage.external_id == asked), first)
        effective = EffectiveAssessments(self.organization, stage).of(role)
        match = effective.match
        mapping_id = match.mapping.id if match and match.mapping else None
        mapping = RoleMapping.objects.filter(pk=mapping_id or 0).first()
        return super().get_context_data(
            role=role,
            stages=[(one.external_id, one.name) for one in stages],
            stage=stage,
            effective=effective,
            mapping=mapping,
            rules=list(RoleRules(self.organization, mapping, lambda: self._assessment_rules(match))),
            **kwargs,
        )

    def _assessment_rules(self, match: AssessmentMatch | None) -> AssessmentRules | None:
        return rules_of_assessment(self.organization, match.found[0]) if match else None
