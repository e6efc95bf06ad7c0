"""The settings page's buttons that call a platform: test CodeScreen's key, make and remove Lever's webhooks."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.generic import View

from integrations.clients import provider
from integrations.http.errors import PlatformError
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin, return_url
from integrations.queue import notify
from integrations.vocabulary import WebhookEvent
from integrations.workflow.operations import signature_tokens
from integrations.workflow.operations.codescreen_connection import verify_codescreen_key
from integrations.workflow.operations.lever_webhooks import make_webhooks, remove_webhooks


class PlatformActionView(OrganizationMixin, View):
    """Call a platform, show the outcome as a message, and return to the page the form was on."""

    http_method_names = ["post"]
    allowed_roles = SUPER_ADMINS
    #: The part of the settings page to return to.
    anchor = ""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Perform the action; a platform's error becomes a message."""
        try:
            messages.success(request, self.perform())
            notify.notify_workers()
        except PlatformError as error:
            messages.error(request, str(error))
        return redirect(return_url(request, reverse("settings") + self.anchor))

    def perform(self) -> str:
        """Do it and return the message. Raises PlatformError with the reason."""
        raise NotImplementedError


class VerifyCodeScreenKeyView(PlatformActionView):
    """Ask CodeScreen whether it accepts the stored key, even one that it refused before."""

    anchor = "#codescreen"

    def perform(self) -> str:
        """List the assessments with the key."""
        codescreen = provider.codescreen_client(self.organization, allow_refused=True)
        count = verify_codescreen_key(self.organization, codescreen)
        noun = "assessment" if count == 1 else "assessments"
        return f"CodeScreen accepts the key and lists {count} {noun}."


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
