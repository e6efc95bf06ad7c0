"""A new key for the webhook addresses, and the end of a former one."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from integrations.clients import provider
from integrations.http.errors import PlatformError
from integrations.models import FormerWebhookKey
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.connection_forms import WebhookAddressForm
from integrations.pages.settings.platform_actions import PlatformActionView
from integrations.pages.settings.settings_page import SettingsView
from integrations.workflow.operations.lever_webhooks import move_webhooks, webhooks_at_former_addresses
from integrations.workflow.operations.webhook_address import (
    end_former_key,
    honoured_former_keys,
    replace_webhook_key,
)


class ReplaceAddressView(SettingsView):
    """Make a new webhook address, and move to it the webhooks that the portal made in Lever."""

    allowed_roles = SUPER_ADMINS

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Replace the key; show the page again with the reason when that isn't possible."""
        form = WebhookAddressForm(request.POST)
        if form.is_valid():
            try:
                overlap = timedelta(days=form.cleaned_data["overlap_days"])
                replace_webhook_key(self.organization, overlap, self.user)
            except ValidationError as error:
                form.add_error("overlap_days", error)
            else:
                messages.success(
                    request,
                    "The webhook address is new. Put it into Lever, and into CodeScreen if your account has webhooks.",
                )
                self._move_webhooks()
                return redirect(reverse("settings") + "#webhook")
        return self.render_to_response(self.get_context_data(address_form=form))

    def _move_webhooks(self) -> None:
        """Move the portal's own webhooks; if Lever doesn't answer, the hourly probe does it, or the button."""
        if not webhooks_at_former_addresses(self.organization):
            return
        try:
            move_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        except PlatformError as error:
            messages.warning(
                self.request,
                f"The webhook that the portal made still has the former address: {error}. The portal tries again "
                "within the hour.",
            )
        else:
            messages.success(self.request, "The webhook that the portal made has the new address in Lever.")


class MoveWebhooksView(PlatformActionView):
    """Move the portal's own webhooks in Lever to the present address."""

    anchor = "#webhook"

    def perform(self) -> str:
        """Move them."""
        move_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        return "The webhook that the portal made has the new address in Lever."


class EndAddressView(OrganizationMixin, TemplateView):
    """Show what ending a former address affects; end it on POST."""

    template_name = "integrations/end_webhook_address.html"
    allowed_roles = SUPER_ADMINS

    def former_key(self) -> FormerWebhookKey:
        """Return the former key that the address of the page names; 404 unless it is honoured."""
        for former in honoured_former_keys(self.organization):
            if former.pk == self.kwargs["pk"]:
                return former
        raise Http404

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the former key."""
        return super().get_context_data(former=self.former_key(), **kwargs)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End it."""
        former = self.former_key()
        end_former_key(former, self.user)
        messages.success(request, f"The former address that ends in {former} is refused from now on.")
        return redirect(reverse("settings") + "#webhook")
