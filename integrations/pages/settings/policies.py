"""Saving the organization's policies from the settings page."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from integrations.models import Organization
from integrations.models.membership import ADMINS
from integrations.pages.settings.policies_form import PoliciesForm
from integrations.pages.settings.settings_page import SettingsView
from integrations.queue import notify
from integrations.workflow.operations.policies import set_policies


class PoliciesView(SettingsView):
    """Save the policies; show the settings page again with the reasons when one isn't valid."""

    allowed_roles = ADMINS

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Save the policies that differ from the stored ones."""
        # validating a ModelForm writes to its instance, and the page still needs the stored organization
        form = PoliciesForm(request.POST, instance=Organization.objects.get(pk=self.organization.pk))
        if form.is_valid() and self._save_policies(form):
            return redirect(reverse("settings") + "#policies")
        return self.render_to_response(self.get_context_data(policies_form=form))

    def _save_policies(self, form: PoliciesForm) -> bool:
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
        messages.success(self.request, "The policies are stored.")
        return True
