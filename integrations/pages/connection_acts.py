"""The buttons of the settings page that act on a connection: disconnect, make and remove webhooks, test the key."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView, View

from integrations import clients, tasks
from integrations.pages.access import SUPER_ADMINS, OrganizationMixin
from integrations.platform import PlatformError
from integrations.workflow import connect


class DisconnectLeverView(OrganizationMixin, TemplateView):
    """Say what disconnecting does; do it on POST."""

    template_name = "integrations/disconnect_lever.html"
    allowed_roles = SUPER_ADMINS

    def post(self, request: HttpRequest) -> HttpResponse:
        """Forget the grant."""
        connect.disconnect_lever(self.organization, self.person)
        messages.success(
            request, "Lever is disconnected. What arrives meanwhile is kept and decided afterwards."
        )
        return redirect("settings")


class ConnectionActView(OrganizationMixin, View):
    """One button of the settings page that calls a platform and says what came of it."""

    http_method_names = ["post"]
    allowed_roles = SUPER_ADMINS
    anchor = ""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Act; a platform's refusal becomes a message."""
        try:
            messages.success(request, self.act())
            tasks.ring()
        except (PlatformError, ValueError) as error:
            messages.error(request, str(error))
        return redirect(reverse("settings") + self.anchor)

    def act(self) -> str:
        """Do it and return the message; raises PlatformError or ValueError with the reason."""
        raise NotImplementedError


class MakeWebhooksView(ConnectionActView):
    """Make the stage-change webhook through Lever's API."""

    anchor = "#webhook"

    def act(self) -> str:
        """Make it."""
        connect.make_webhooks(self.organization, clients.lever_for(self.organization), self.person)
        return (
            "The webhook is made. In Lever, check that “Candidate Stage Change” is turned on under Webhooks."
        )


class RemoveWebhooksView(ConnectionActView):
    """Remove what the portal made through Lever's API."""

    anchor = "#webhook"

    def act(self) -> str:
        """Remove it."""
        connect.remove_webhooks(self.organization, clients.lever_for(self.organization), self.person)
        return "The webhook made through Lever's API is removed."


class CheckCodeScreenKeyView(ConnectionActView):
    """Ask CodeScreen whether it accepts the key."""

    anchor = "#codescreen"

    def act(self) -> str:
        """Read the assessments."""
        count = connect.test_codescreen_key(
            self.organization, clients.codescreen_for(self.organization, is_trial=True)
        )
        return (
            f"CodeScreen accepts the key and lists {count} {'assessment' if count == 1 else 'assessments'}."
        )
