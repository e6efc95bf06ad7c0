"""Saving the organization's policies from the settings page."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from integrations.models import Organization
from integrations.pages.access import ADMINS
from integrations.pages.settings.connections import SettingsView
from integrations.pages.settings.policies_form import PoliciesForm
from integrations.queue import notify
from integrations.workflow.operations.policies import set_policies


class PoliciesView(SettingsView):
    """Save the policies; the settings page again, with the reasons, when something is wrong."""

    allowed_roles = ADMINS

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Hand what changed to the workflow, which records it and takes up paused work."""
        # a row of its own, because validating a form writes into its instance
        form = PoliciesForm(request.POST, instance=Organization.objects.get(pk=self.organization.pk))
        if form.is_valid() and self._save(form):
            return redirect(reverse("settings") + "#policies")
        return self.render_to_response(self.get_context_data(policies_form=form))

    def _save(self, form: PoliciesForm) -> bool:
        changes = form.changed_values()
        if not changes:
            messages.info(self.request, "Nothing was changed.")
            return True
        try:
            set_policies(self.organization, changes, self.user)
        except ValidationError as error:
            form.add_error(None, error)
            return False
        notify.notify_workers()
        messages.success(self.request, "The policies are stored.")
        return True
