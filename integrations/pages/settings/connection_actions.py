"""What the settings page does to a connection: disconnect, add and retire tokens, make and remove webhooks, test."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.generic import TemplateView, View

from integrations.clients import provider
from integrations.http.errors import PlatformError
from integrations.models import Effect, Invitation
from integrations.pages.access import SUPER_ADMINS, OrganizationMixin, return_url
from integrations.pages.settings.connection_forms import AddTokenForm
from integrations.pages.settings.connections import SettingsView
from integrations.queue import notify
from integrations.workflow.operations import signature_tokens
from integrations.workflow.operations.codescreen_connection import verify_codescreen_key
from integrations.workflow.operations.lever_connection import disconnect_lever
from integrations.workflow.operations.lever_webhooks import make_webhook, remove_webhooks


class DisconnectLeverView(OrganizationMixin, TemplateView):
    """Say what disconnecting does; do it on POST."""

    template_name = "integrations/disconnect_lever.html"
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Count whom and what it concerns."""
        own = {"organization": self.organization}
        status = Invitation.Status
        effects = Effect.objects.filter(state=Effect.State.DUE, **own).exclude(
            kind__in=[Effect.Kind.SEND_EMAIL, Effect.Kind.SEND_INVITATION]
        )
        return super().get_context_data(
            lever=self.organization.lever,
            open_count=Invitation.objects.filter(
                status__in=[status.INVITED, status.IN_PROGRESS, status.SUBMITTED], **own
            ).count(),
            unsent_count=Invitation.objects.filter(
                status__in=[status.PENDING, status.SENDING, status.HELD], **own
            ).count(),
            unwritten_count=effects.count(),
            has_made_webhook=any(
                token.is_made_by_us for token in signature_tokens.active_tokens(self.organization)
            ),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Forget the grant."""
        disconnect_lever(self.organization, self.user)
        messages.success(
            request, "Lever is disconnected. What arrives meanwhile is kept and decided afterwards."
        )
        return redirect("settings")


class AddTokenView(SettingsView):
    """Honour another signature token beside those there are."""

    allowed_roles = SUPER_ADMINS

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Store it."""
        form = AddTokenForm(request.POST)
        if form.is_valid():
            name, token = form.cleaned_data["token_name"], form.cleaned_data["additional_token"]
            try:
                webhook = signature_tokens.add_token(self.organization, name, token, self.user)
            except ValidationError as error:
                form.add_error("additional_token", error)
            else:
                messages.success(request, f"The token “{webhook.name}” is honoured from now on.")
                return redirect(reverse("settings") + "#webhook")
        return self.render_to_response(self.get_context_data(token_form=form))


class RetireTokenView(OrganizationMixin, TemplateView):
    """Say what retiring a signature token does; do it on POST."""

    template_name = "integrations/retire_token.html"
    allowed_roles = SUPER_ADMINS

    def token(self) -> signature_tokens.Token:
        """Return the token the address names; 404 for one that proves nothing, or isn't a person's to retire."""
        for token in signature_tokens.active_tokens(self.organization):
            asked = (self.kwargs["pk"], self.kwargs["which"])
            if (token.webhook.pk, token.generation) == asked and not token.is_made_by_us:
                return token
        raise Http404

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the token, and those that are left without it."""
        token = self.token()
        others = [
            other
            for other in signature_tokens.active_tokens(self.organization)
            if (other.webhook.pk, other.generation) != (token.webhook.pk, token.generation)
            and (
                token.generation == signature_tokens.Generation.PREVIOUS
                or other.webhook.pk != token.webhook.pk
            )
        ]
        return super().get_context_data(token=token, others=others, **kwargs)

    def post(self, request: HttpRequest, pk: int, which: str) -> HttpResponse:
        """Retire it."""
        token = self.token()
        signature_tokens.retire_token(token.webhook, token.generation, self.user)
        messages.success(request, f"The token “{token.label}” is retired.")
        return redirect(reverse("settings") + "#webhook")


class ConnectionActView(OrganizationMixin, View):
    """One button of the settings page that calls a platform and says what came of it."""

    http_method_names = ["post"]
    allowed_roles = SUPER_ADMINS
    anchor = ""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Act; a platform's refusal becomes a message."""
        try:
            messages.success(request, self.act())
            notify.notify_workers()
        except PlatformError as error:
            messages.error(request, str(error))
        return redirect(return_url(request, reverse("settings") + self.anchor))

    def act(self) -> str:
        """Do it and return the message; raises PlatformError with the reason."""
        raise NotImplementedError


class MakeWebhooksView(ConnectionActView):
    """Make the stage-change webhook through Lever's API."""

    anchor = "#webhook"

    def act(self) -> str:
        """Make it."""
        make_webhook(self.organization, provider.lever_client(self.organization), self.user)
        return (
            "The webhook is made. In Lever, check that “Candidate Stage Change” is turned on under Webhooks."
        )


class RemoveWebhooksView(ConnectionActView):
    """Say what removing does to the webhook the portal made; remove it through Lever's API on POST."""

    http_method_names = ["get", "post"]
    anchor = "#webhook"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        tokens = signature_tokens.active_tokens(self.organization)
        context = {
            "webhook": next((token.webhook for token in tokens if token.is_made_by_us), None),
            "others": [token for token in tokens if not token.is_made_by_us],
        }
        return render(request, "integrations/remove_webhook.html", context)

    def act(self) -> str:
        """Remove it."""
        remove_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        return "The webhook made through Lever's API is removed."


class CheckCodeScreenKeyView(ConnectionActView):
    """Ask CodeScreen whether it accepts the key."""

    anchor = "#codescreen"

    def act(self) -> str:
        """Read the assessments."""
        count = verify_codescreen_key(
            self.organization, provider.codescreen_client(self.organization, allow_refused=True)
        )
        return (
            f"CodeScreen accepts the key and lists {count} {'assessment' if count == 1 else 'assessments'}."
        )
