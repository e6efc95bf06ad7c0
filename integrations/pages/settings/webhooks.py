"""Signature tokens, webhooks and their address: the buttons of the page Integrations."""

from django.contrib import messages
from django.forms import Form
from django.http import Http404
from django.shortcuts import get_object_or_404

from integrations.clients import provider
from integrations.core.vocabulary import WebhookEvent
from integrations.health.lever_probe import move_webhooks
from integrations.http.session import NotConnected, PlatformError
from integrations.lever.acts.webhooks import (
    Token,
    active_tokens,
    make_webhooks,
    remove_webhooks,
    retire_token,
    rotate_webhook,
)
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.acts import replace_webhook_key
from integrations.pages.settings.connections import ConnectionActView


class ReplaceAddressView(ConnectionActView):
    """Make a new webhook address, and move to it the webhooks that the portal made in Lever."""

    anchor = "#new-address"

    def operate(self, form: Form) -> str:
        """Replace the key; if Lever doesn't answer, the hourly probe moves the webhooks."""
        replace_webhook_key(self.organization, self.user)
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
            return "The webhook address is new. Put it into CodeScreen, if you did before."
        if moved:
            return "The portal's webhook has the new address in Lever. Put it into CodeScreen, if you did before."
        return (
            "The webhook address is new. Put it into Lever, and into CodeScreen if your account has webhooks."
        )


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


class RotateTokenView(ConnectionActView):
    """Replace the token of a webhook that the portal made: it is made anew in Lever."""

    anchor = "#tokens"

    def operate(self, form: Form) -> str:
        active = LeverWebhook.objects.active().filter(organization=self.organization)
        webhook = get_object_or_404(active, pk=self.kwargs["pk"])
        rotate_webhook(webhook, provider.lever_client(self.organization), self.user)
        return "The webhook has a new token. The one before counts for another day."


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
