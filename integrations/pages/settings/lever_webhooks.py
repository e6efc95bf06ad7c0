"""The buttons that make and remove the webhook through Lever's API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations.clients import provider
from integrations.pages.settings.platform_action import PlatformActionView
from integrations.workflow.operations import signature_tokens
from integrations.workflow.operations.lever_webhooks import make_webhook, remove_webhooks


class MakeWebhookView(PlatformActionView):
    """Make the stage-change webhook through Lever's API."""

    anchor = "#webhook"

    def perform(self) -> str:
        """Make the webhook."""
        make_webhook(self.organization, provider.lever_client(self.organization), self.user)
        return (
            "The webhook is made. In Lever, check that “Candidate Stage Change” is turned on under Webhooks."
        )


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
