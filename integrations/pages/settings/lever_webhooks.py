"""The buttons that make and remove the webhook through Lever's API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations.clients import provider
from integrations.pages.settings.platform_action import PlatformActionView
from integrations.vocabulary import WebhookEvent
from integrations.workflow.operations import signature_tokens
from integrations.workflow.operations.lever_webhooks import make_webhooks, remove_webhooks


class MakeWebhookView(PlatformActionView):
    """Make the portal's webhooks through Lever's API: of stage changes and of deleted candidates."""

    anchor = "#webhook"

    def perform(self) -> str:
        """Make the webhooks."""
        make_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        events = " and ".join(f"“{event.label}”" for event in WebhookEvent)
        return f"The webhooks are made. In Lever, check that {events} are turned on under Webhooks."


class RemoveWebhooksView(PlatformActionView):
    """Show what removing the portal's webhook affects; remove it through Lever's API on POST."""

    http_method_names = ["get", "post"]
    anchor = "#webhook"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the page that asks for confirmation."""
        tokens = signature_tokens.active_tokens(self.organization)
        context = {
            "webhook": next((token.webhook for token in tokens if token.is_made_by_us), None),
            "others": [token for token in tokens if not token.is_made_by_us],
        }
        return render(request, "integrations/remove_webhook.html", context)

    def perform(self) -> str:
        """Remove the webhook."""
        remove_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        return "The webhook made through Lever's API is removed."
