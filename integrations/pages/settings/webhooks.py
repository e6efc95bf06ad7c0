"""Signature tokens, webhooks and their address: the other forms and the buttons of the page Integrations."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from integrations.clients import provider
from integrations.core.vocabulary import WebhookEvent
from integrations.http.session import PlatformError
from integrations.lever.acts import (
    Generation,
    Token,
    active_tokens,
    add_token,
    make_webhooks,
    move_webhooks,
    remove_webhooks,
    retire_token,
    webhooks_at_former_addresses,
)
from integrations.members.models.membership import SUPER_ADMINS
from integrations.organizations.acts import (
    end_former_key,
    honoured_former_keys,
    replace_webhook_key,
)
from integrations.organizations.models.webhook_keys import FormerWebhookKey
from integrations.pages.settings.connections import (
    AddTokenForm,
    ConfirmedConnectionActView,
    ConnectionActView,
    SettingsView,
    WebhookAddressForm,
)
from integrations.queue.models.duty_run import INTERVALS, Duty

#: How often the sweep looks for what no webhook told.
SWEEP_MINUTES = INTERVALS[Duty.SWEEP] // timedelta(minutes=1)
_MOVED = "The webhook that the portal made has the new address in Lever."


class AddTokenView(SettingsView):
    """Accept an additional signature token."""

    allowed_roles = SUPER_ADMINS
    form_class = AddTokenForm
    form_name = "token_form"
    error_field = "additional_token"
    anchor = "#tokens"

    def operate(self, form: Form) -> str:
        name, token = form.cleaned_data["token_name"], form.cleaned_data["additional_token"]
        webhook = add_token(self.organization, name, token, self.user)
        return f"The token “{webhook.name}” is honoured from now on."


class ReplaceAddressView(SettingsView):
    """Make a new webhook address, and move to it the webhooks that the portal made in Lever."""

    allowed_roles = SUPER_ADMINS
    form_class = WebhookAddressForm
    form_name = "address_form"
    error_field = "overlap_days"
    anchor = "#new-address"

    def operate(self, form: Form) -> HttpResponse:
        """Replace the key; if Lever doesn't answer, the hourly probe moves the webhooks, or the button."""
        replace_webhook_key(self.organization, timedelta(days=form.cleaned_data["overlap_days"]), self.user)
        messages.success(
            self.request,
            "The webhook address is new. Put it into Lever, and into CodeScreen if your account has webhooks.",
        )
        if webhooks_at_former_addresses(self.organization):
            try:
                move_webhooks(self.organization, provider.lever_client(self.organization), self.user)
            except PlatformError as error:
                messages.warning(
                    self.request,
                    f"The webhook that the portal made still has the former address: {error}. The portal tries again "
                    "within the hour.",
                )
            else:
                messages.success(self.request, _MOVED)
        return redirect(self.get_success_url())


class RetireTokenView(ConfirmedConnectionActView):
    """Show what retiring a signature token affects; retire it on POST."""

    template_name = "integrations/retire_token.html"
    anchor = "#tokens"

    def token(self) -> Token:
        """Return the token that the address names; 404 unless it is active and was entered by a person."""
        for token in active_tokens(self.organization):
            is_named = (token.webhook.pk, token.generation) == (self.kwargs["pk"], self.kwargs["which"])
            if is_named and not token.is_made_by_us:
                return token
        raise Http404

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the token, and the tokens that stay active without it."""
        retired = self.token()
        others = [token for token in active_tokens(self.organization) if not _ends_with(token, retired)]
        return super().get_context_data(token=retired, others=others, sweep_minutes=SWEEP_MINUTES, **kwargs)

    def operate(self, form: Form) -> str:
        token = self.token()
        retire_token(token.webhook, token.generation, self.user)
        return f"The token “{token.label}” is retired."


def _ends_with(token: Token, retired: Token) -> bool:
    """Whether retiring a token ends this one too: itself, and with a current token its webhook's previous one."""
    if token.webhook.pk != retired.webhook.pk:
        return False
    return token.generation == retired.generation or retired.generation == Generation.CURRENT


class EndAddressView(ConfirmedConnectionActView):
    """Show what ending a former address affects; end it on POST."""

    template_name = "integrations/end_webhook_address.html"
    anchor = "#new-address"

    def former_key(self) -> FormerWebhookKey:
        """Return the former key that the address of the page names; 404 unless it is honoured."""
        for former in honoured_former_keys(self.organization):
            if former.pk == self.kwargs["pk"]:
                return former
        raise Http404

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(former=self.former_key(), **kwargs)

    def operate(self, form: Form) -> str:
        former = self.former_key()
        end_former_key(former, self.user)
        return f"The former address that ends in {former} is refused from now on."


class MoveWebhooksView(ConnectionActView):
    """Move the portal's own webhooks in Lever to the present address."""

    def operate(self, form: Form) -> str:
        move_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        return _MOVED


class MakeWebhookView(ConnectionActView):
    """Make the portal's webhooks through Lever's API: of stage changes and of deleted candidates."""

    def operate(self, form: Form) -> str:
        make_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        events = " and ".join(f"“{event.label}”" for event in WebhookEvent)
        return f"The webhooks are made. In Lever, check that {events} are turned on under Webhooks."


class RemoveWebhooksView(ConfirmedConnectionActView):
    """Show what removing the portal's webhook affects; remove it through Lever's API on POST."""

    template_name = "integrations/remove_webhook.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the portal's webhook, and the tokens that stay without it."""
        tokens = active_tokens(self.organization)
        return super().get_context_data(
            webhook=next((token.webhook for token in tokens if token.is_made_by_us), None),
            others=[token for token in tokens if not token.is_made_by_us],
            sweep_minutes=SWEEP_MINUTES,
            **kwargs,
        )

    def operate(self, form: Form) -> str:
        remove_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        return "The webhook made through Lever's API is removed."
