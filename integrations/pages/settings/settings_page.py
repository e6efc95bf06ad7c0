"""The Connections page: what connects Lever and CodeScreen, for Super Admins; and the request to one of them."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csp import csp_override
from django.views.generic import TemplateView, View

from integrations.models.membership import EVERYONE, SUPER_ADMINS
from integrations.pages.access import OrganizationMixin, return_url
from integrations.pages.settings.connection_forms import (
    AddTokenForm,
    ConnectionsForm,
    Saved,
    WebhookAddressForm,
    save_idempotency,
    save_secrets,
)
from integrations.pages.settings.connection_state import codescreen_state, lever_state
from integrations.pages.settings.lever_connect import connect_policy
from integrations.queue import notify
from integrations.workflow.email.admin_requests import Refusal, send_request


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
        saved = self._save(form) if form.is_valid() else Saved()
        page = return_url(request, reverse("settings"))
        if form.errors and page == reverse("settings"):
            context = self.get_context_data(connections_form=form, offers_untried=saved.offers_untried)
            return self.render_to_response(context)
        for errors in form.errors.values():  # the form was on another page, which has no place for them
            for error in errors:
                messages.error(request, str(error))
        return redirect(page)

    def _save(self, form: ConnectionsForm) -> Saved:
        """Save the form, and show what was saved."""
        saved = save_secrets(form, self.organization, self.user)
        saved.messages += save_idempotency(form, self.organization, self.user)
        for message in saved.messages:
            messages.success(self.request, message)
        for warning in saved.warnings:
            messages.warning(self.request, warning)
        if not (form.errors or saved.messages or saved.warnings):
            messages.info(self.request, "Nothing was changed: all fields were empty.")
        if form.cleaned_data.get("codescreen_api_key"):
            notify.request_catalog_refresh(self.organization)
        notify.notify_workers()
        return saved


class AskAdminsView(OrganizationMixin, View):
    """Send the Super Admins one e-mail with the member's request."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send the request and name its recipients, or say why it isn't sent."""
        if self.membership.may_connect:
            messages.error(request, "You are a Super Admin yourself.")
            return self._back()
        message = request.POST.get("message", "")
        outcome = send_request(self.membership, request.POST.get("request", ""), message)
        if isinstance(outcome, Refusal):
            messages.error(request, outcome.value)
        else:
            notify.notify_workers()
            users = [super_admin.user for super_admin in outcome.recipients]
            names = " and ".join(user.get_full_name() or str(user) for user in users)
            messages.success(request, f"Your request is on its way to {names}.")
        return self._back()

    def _back(self) -> HttpResponse:
        return redirect(reverse("settings") + "#ask")
