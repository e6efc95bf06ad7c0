"""The Connections page: what connects Lever and CodeScreen, for Super Admins."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csp import csp_override
from django.views.generic import TemplateView

from integrations.models.membership import EVERYONE, SUPER_ADMINS
from integrations.pages.access import OrganizationMixin, return_url
from integrations.pages.settings.connect_policy import connect_policy
from integrations.pages.settings.connection_forms import (
    AddTokenForm,
    ConnectionsForm,
    WebhookAddressForm,
)
from integrations.pages.settings.connection_secrets import save_idempotency, save_secrets
from integrations.pages.settings.connection_state import codescreen_state, lever_state
from integrations.queue import notify


class SettingsView(OrganizationMixin, TemplateView):
    """Show the connections and save their secrets; to other roles, who their Super Admins are.

    The views that save the page's other forms inherit from it, to show the page again with a form's errors.
    """

    template_name = "integrations/settings.html"
    allowed_roles = EVERYONE

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let the Connect form redirect to Lever."""
        dispatch = csp_override(connect_policy())(super().dispatch)
        return dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read only what the person's role may see."""
        context = super().get_context_data(**kwargs)
        if self.membership.may_connect:
            self._add_connections(context)
        return context

    def _add_connections(self, context: dict[str, Any]) -> None:
        codescreen = codescreen_state(self.organization)
        is_honoured = bool(codescreen.connection and codescreen.connection.idempotency)
        context.setdefault(
            "connections_form", ConnectionsForm(initial={"codescreen_idempotency": is_honoured})
        )
        context.setdefault("token_form", AddTokenForm())
        context.setdefault("address_form", WebhookAddressForm())
        context["lever"] = lever_state(self.organization)
        context["codescreen"] = codescreen
        context["now"] = timezone.now()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save each secret that was entered; a field that is absent or empty keeps the stored one."""
        self.require(SUPER_ADMINS)
        form = ConnectionsForm(request.POST)
        if not form.is_valid() or not self._save(form):
            return self.render_to_response(self.get_context_data(connections_form=form))
        if form.cleaned_data["codescreen_api_key"]:
            notify.request_catalog_refresh(self.organization)
        notify.notify_workers()
        return redirect(return_url(request, reverse("settings")))

    def _save(self, form: ConnectionsForm) -> bool:
        """Save the form and show what was saved; return whether all of it was valid."""
        saved = save_secrets(form, self.organization, self.user)
        saved += save_idempotency(form, self.organization, self.user)
        for message in saved:
            messages.success(self.request, message)
        if not form.errors and not saved:
            messages.info(self.request, "Nothing was changed: all fields were empty.")
        return not form.errors
