"""What the doctor and the mapping linter say of the set-up, with a way to mend each."""

from typing import Any

from django.views.generic import TemplateView

from integrations.pages.access import TEAM, OrganizationMixin
from integrations.workflow import doctor, linter


class HealthView(OrganizationMixin, TemplateView):
    """List the findings, gravest first."""

    template_name = "integrations/health.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Ask the doctor and the linter now."""
        grave_first = {"error": 0, "warning": 1, "info": 2}
        found = [*doctor.findings(self.organization), *linter.findings(self.organization)]
        unique = [finding for finding in dict.fromkeys(found) if finding.code != "ok"]
        unique.sort(key=lambda finding: grave_first.get(finding.level, 3))
        return super().get_context_data(findings=unique, **kwargs)
