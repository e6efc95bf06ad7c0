"""Giving several roles the same assessment at once."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import View

from integrations.models import Role
from integrations.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings.mapping_list import list_url
from integrations.pages.mappings.suggestions import assessment_names
from integrations.workflow.health.wording import counted
from integrations.workflow.operations.mappings import assign_assessment

MAX_ROLES = 200
#: Digits that every database takes for a key.
MAX_DIGITS = 18


class BulkAssignView(OrganizationMixin, View):
    """Give the ticked roles one assessment."""

    http_method_names = ["post"]
    allowed_roles = ADMINS

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add or change the mapping of each ticked role, all or none."""
        ticked = request.POST.getlist("roles")
        keys = [int(key) for key in ticked if key.isdecimal() and len(key) <= MAX_DIGITS][:MAX_ROLES]
        roles = list(
            Role.objects.live()
            .filter(organization=self.organization, pk__in=keys)
            .select_related("organization")
        )
        assessment = request.POST.get("assessment", "")
        if not roles:
            messages.error(request, "Tick the roles first.")
        elif assessment not in assessment_names(self.organization):
            messages.error(request, "Choose an assessment that CodeScreen lists.")
        else:
            changed = assign_assessment(roles, assessment, self.user)
            messages.success(
                request,
                f"{counted(len(roles), 'role')}: “{assessment}”. {counted(changed, 'mapping')} changed.",
            )
        return redirect(list_url(request))
