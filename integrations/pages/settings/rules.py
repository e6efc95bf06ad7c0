"""The Rules page: the organization's policies, and saving them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from integrations.lever.oauth import FILES_SCOPE
from integrations.models import LeverConnection, Organization
from integrations.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.policies_form import PoliciesForm
from integrations.queue import notify
from integrations.workflow.operations.policies import set_policies


class RulesView(OrganizationMixin, TemplateView):
    """Show the policies and save them; a failed save shows the page again with the reasons."""

    template_name = "integrations/rules.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form, and whether Lever lets the portal attach files."""
        context = super().get_context_data(**kwargs)
        context.setdefault("policies_form", PoliciesForm(instance=self.organization))
        connection = LeverConnection.objects.filter(organization=self.organization).first()
        context["files_scope"] = FILES_SCOPE
        context["lacks_files_scope"] = bool(
            connection and connection.is_working and connection.lacks(FILES_SCOPE)
        )
        return context

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save the policies that differ from the stored ones."""
        # validating a ModelForm writes to its instance, and the page still needs the stored organization
        form = PoliciesForm(request.POST, instance=Organization.objects.get(pk=self.organization.pk))
        if form.is_valid() and self._save(form):
            return redirect("rules")
        return self.render_to_response(self.get_context_data(policies_form=form))

    def _save(self, form: PoliciesForm) -> bool:
        values = form.changed_values()
        if not values:
            messages.info(self.request, "Nothing was changed.")
            return True
        try:
            set_policies(self.organization, values, self.user)
        except ValidationError as error:
            form.add_error(None, error)
            return False
        notify.notify_workers()
        messages.success(self.request, "The rules are saved.")
        return True
