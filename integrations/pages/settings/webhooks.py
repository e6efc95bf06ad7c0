"""Signature tokens, webhooks and their address: the other forms and the buttons of the page Integrations."""

from datetime import timedelta

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from integrations.clients import provider
from integrations.core.vocabulary import WebhookEvent
from integrations.health.lever_probe import move_webhooks
from integrations.http.session import NotConnected, PlatformError
from integrations.lever.acts import (
    Token,
    active_tokens,
    make_webhooks,
    remove_webhooks,
    retire_token,
)
from integrations.organizations.acts import replace_webhook_key
from integrations.pages.settings.connections import (
    ConnectionActView,
    SettingsFormView,
    WebhookAddressForm,
)


class ReplaceAddressView(SettingsFormView):
    """Make a new webhook address, and move to it the webhooks that the portal made in Lever."""

    form_class = WebhookAddressForm
    form_name = "address_form"
    error_field = "overlap_days"
    anchor = "#new-address"

    def operate(self, form: Form) -> HttpResponse:
        """Replace the key; if Lever doesn't answer, the hourly probe moves the webhooks."""
        replace_webhook_key(self.organization, timedelta(days=form.cleaned_data["overlap_days"]), self.user)
        messages.success(
            self.request,
            "The webhook address is new. Put it into Lever, and into CodeScreen if your account has webhooks.",
        )
        try:
            moved = move_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        except NotConnected:
            moved = 0  # the hourly probe moves them once Lever is connected
        except PlatformError as error:
            messages.warning(
                self.request,
                f"The webhook that the portal made still has the former address: {error}. The portal tries again "
                "within the hour.",
            )
        else:
            if moved:
                messages.success(
                    self.request, "The webhook that the portal made has the new address in Lever."
                )
        return redirect(self.get_success_url())


class RetireTokenView(ConnectionActView):
    """Retire a signature token."""

    anchor = "#tokens"

    def token(self) -> Token:
        """Return the token that the address names; 404 unless it is active and was entered by a person."""
        for token in active_tokens(self.organization):
            is_named = (token.webhook.pk, token.generation) == (self.kwargs["pk"], self.kwargs["which"])
            if is_named and not token.is_made_by_us:
                return token
        raise Http404

    def operate(self, form: Form) -> str:
        token = self.token()
        retire_token(token.webhook, token.generation, self.user)
        return f"The token “{token.label}” is retired."


class MakeWebhookView(ConnectionActView):
    """Make the portal's webhooks through Lever's API: of stage changes and of deleted candidates."""

    def operate(self, form: Form) -> str:
        make_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        events = " and ".join(f"“{event.label}”" for event in WebhookEvent)
        return f"The webhooks are made. In Lever, check that {events} are turned on under Webhooks."


class RemoveWebhooksView(ConnectionActView):
    """Remove the portal's webhook through Lever's API."""

    def operate(self, form: Form) -> str:
        remove_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        return "The webhook made through Lever's API is removed."
