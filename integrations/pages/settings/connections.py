"""The Connections page, for Super Admins: the secrets, the signature tokens, the webhooks and their address.

Other members ask one of them there.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csp import csp_override

from integrations.audit.models.entry import Actor
from integrations.clients import provider
from integrations.codescreen.acts import (
    KeyRefused,
    KeyStored,
    KeyStoredUntried,
    KeyUntried,
    replace_codescreen_key,
    save_codescreen_idempotency,
    save_codescreen_webhook_secret,
    verify_codescreen_key,
)
from integrations.core.vocabulary import ActionNotAllowed, WebhookEvent
from integrations.health.findings import counted
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
    save_main_token,
    webhooks_at_former_addresses,
)
from integrations.members.models.membership import SUPER_ADMINS
from integrations.notifications.account_notices import send_request
from integrations.organizations.acts import (
    end_former_key,
    honoured_former_keys,
    replace_webhook_key,
)
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.webhook_keys import FormerWebhookKey
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.connection_state import (
    AddTokenForm,
    ConnectionsForm,
    WebhookAddressForm,
    codescreen_state,
    lever_state,
)
from integrations.pages.settings.lever_connect import connect_policy
from integrations.pages.views import ActView, ConfirmedActView, OperationView
from integrations.queue import notify

#: For each field that is only stored, the operation that saves it and the message afterwards.
_SECRETS: tuple[tuple[str, Callable[[Organization, str, Actor], None], str], ...] = (
    ("lever_signature_token", save_main_token, "The Lever Webhook Signature is stored."),
    ("codescreen_webhook_secret", save_codescreen_webhook_secret, "The webhook secret is stored."),
)
_MOVED = "The webhook that the portal made has the new address in Lever."


class SettingsView(OrganizationMixin, OperationView):
    """Show the connections and save their secrets; to other roles, who their Super Admins are.

    The views that save the page's other forms inherit from it, to show the page again with a form's errors.
    """

    template_name = "integrations/settings.html"
    form_class: type[Form] = ConnectionsForm
    #: What the page calls this view's form.
    form_name = "connections_form"
    following_page = "settings"

    def check_role(self, request: HttpRequest) -> None:
        """Let everybody look, and Super Admins save."""
        super().check_role(request)
        if request.method == "POST":
            self.require(SUPER_ADMINS)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let the Connect form redirect to Lever."""
        dispatch = csp_override(connect_policy())(super().dispatch)
        return dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read only what the person's role may see."""
        context = super().get_context_data(**kwargs)
        if not self.membership.may_connect:
            return context
        codescreen = codescreen_state(self.organization)
        is_honoured = bool(codescreen.connection and codescreen.connection.idempotency)
        return {
            **context,
            "connections_form": ConnectionsForm(initial={"codescreen_idempotency": is_honoured}),
            "token_form": AddTokenForm(),
            "address_form": WebhookAddressForm(),
            **({self.form_name: context["form"]} if context["form"].is_bound else {}),
            "lever": lever_state(self.organization),
            "codescreen": codescreen,
            "now": timezone.now(),
        }

    def operate(self, form: ConnectionsForm) -> str | HttpResponseBase | None:
        """Save each secret that was entered; a field that is absent or empty keeps the stored one."""
        entered = [name for name, *_ in _SECRETS if form.cleaned_data[name]]
        for name, save, sentence in _SECRETS:
            if name not in entered:
                continue
            try:
                save(self.organization, form.cleaned_data[name], self.user)
            except ValidationError as error:
                form.add_error(name, error)
            else:
                messages.success(self.request, sentence)
        if form.cleaned_data["codescreen_api_key"]:
            entered.append("codescreen_api_key")
            self._save_key(form)
        # an unticked checkbox isn't posted, so the form names itself
        if {"codescreen_form", "codescreen_idempotency"} & form.data.keys() and save_codescreen_idempotency(
            self.organization, form.cleaned_data["codescreen_idempotency"], self.user
        ):
            messages.success(self.request, "The setting for idempotency keys is stored.")
        elif not entered:
            messages.info(self.request, "Nothing was changed: all fields were empty.")
        return self.form_invalid(form) if form.errors else redirect(self.get_success_url())

    def _save_key(self, form: ConnectionsForm) -> None:
        """Store the API key if CodeScreen accepts it, or can't be asked and the person says so."""
        name, entered = "codescreen_api_key", form.cleaned_data
        try:
            outcome = replace_codescreen_key(
                self.organization, entered[name], self.user, may_be_untried=entered["codescreen_untried"]
            )
        except ValidationError as error:
            form.add_error(name, error)
            return
        match outcome:
            case KeyStored(assessments):
                listed = counted(assessments, "assessment")
                messages.success(
                    self.request, f"The API key is stored: CodeScreen accepts it and lists {listed}."
                )
            case KeyStoredUntried(reason):
                messages.warning(
                    self.request,
                    f"The API key is stored, but CodeScreen could not be asked whether it accepts it ({reason}). The "
                    "portal asks again automatically.",
                )
            case KeyRefused(reason, keeps_key):
                kept = " The key stored before stays in use." if keeps_key else ""
                form.add_error(
                    name,
                    f"CodeScreen refused this key, so it was not stored.{kept} Copy the whole key from CodeScreen "
                    f"again. ({reason})",
                )
                return
            case KeyUntried(reason):
                form.offers_untried = True
                form.add_error(
                    name,
                    f"CodeScreen could not be asked whether it accepts this key ({reason}). It was not stored, and the "
                    "key stored before stays in use. Try again later, or enter it again and store it without trying "
                    "it.",
                )
                return
        notify.request_catalog_refresh(self.organization)

    def form_invalid(self, form: Form) -> HttpResponse:
        """Show the form again; one that was on another page, which has no place for its errors, as messages there."""
        page = self.get_success_url()
        if page == reverse(self.following_page) + self.anchor:
            return super().form_invalid(form)
        for errors in form.errors.values():
            for error in errors:
                messages.error(self.request, str(error))
        return redirect(page)


class AddTokenView(SettingsView):
    """Accept an additional signature token."""

    allowed_roles = SUPER_ADMINS
    form_class = AddTokenForm
    form_name = "token_form"
    error_field = "additional_token"
    anchor = "#webhook"

    def operate(self, form: Form) -> str:
        """Store the token."""
        name, token = form.cleaned_data["token_name"], form.cleaned_data["additional_token"]
        webhook = add_token(self.organization, name, token, self.user)
        return f"The token “{webhook.name}” is honoured from now on."


class ReplaceAddressView(SettingsView):
    """Make a new webhook address, and move to it the webhooks that the portal made in Lever."""

    allowed_roles = SUPER_ADMINS
    form_class = WebhookAddressForm
    form_name = "address_form"
    error_field = "overlap_days"
    anchor = "#webhook"

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


class ConnectionActView(OrganizationMixin, ActView):
    """A button of the page."""

    allowed_roles = SUPER_ADMINS
    following_page = "settings"
    anchor = "#webhook"


class ConfirmedConnectionActView(ConnectionActView, ConfirmedActView):
    """A button that leads to a page which asks first."""


class RetireTokenView(ConfirmedConnectionActView):
    """Show what retiring a signature token affects; retire it on POST."""

    template_name = "integrations/retire_token.html"

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
        return super().get_context_data(token=retired, others=others, **kwargs)

    def operate(self, form: Form) -> str:
        """Retire the token."""
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

    def former_key(self) -> FormerWebhookKey:
        """Return the former key that the address of the page names; 404 unless it is honoured."""
        for former in honoured_former_keys(self.organization):
            if former.pk == self.kwargs["pk"]:
                return former
        raise Http404

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the former key."""
        return super().get_context_data(former=self.former_key(), **kwargs)

    def operate(self, form: Form) -> str:
        """End it."""
        former = self.former_key()
        end_former_key(former, self.user)
        return f"The former address that ends in {former} is refused from now on."


class MoveWebhooksView(ConnectionActView):
    """Move the portal's own webhooks in Lever to the present address."""

    def operate(self, form: Form) -> str:
        """Move them."""
        move_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        return _MOVED


class MakeWebhookView(ConnectionActView):
    """Make the portal's webhooks through Lever's API: of stage changes and of deleted candidates."""

    def operate(self, form: Form) -> str:
        """Make the webhooks."""
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
            **kwargs,
        )

    def operate(self, form: Form) -> str:
        """Remove the webhook."""
        remove_webhooks(self.organization, provider.lever_client(self.organization), self.user)
        return "The webhook made through Lever's API is removed."


class VerifyCodeScreenKeyView(ConnectionActView):
    """Ask CodeScreen whether it accepts the stored key, even one that it refused before."""

    anchor = "#codescreen"

    def operate(self, form: Form) -> str:
        """List the assessments with the key."""
        codescreen = provider.codescreen_client(self.organization, allow_refused=True)
        count = verify_codescreen_key(self.organization, codescreen)
        return f"CodeScreen accepts the key and lists {counted(count, 'assessment')}."


class AskAdminsView(OrganizationMixin, ActView):
    """Send the Super Admins one e-mail with the member's request."""

    following_page = "settings"
    anchor = "#ask"

    def operate(self, form: Form) -> str:
        """Send the request and name its recipients."""
        if self.membership.may_connect:
            raise ActionNotAllowed("You are a Super Admin yourself.")
        posted = self.request.POST
        recipients = send_request(self.membership, posted.get("request", ""), posted.get("message", ""))
        users = [super_admin.user for super_admin in recipients]
        names = " and ".join(user.get_full_name() or str(user) for user in users)
        return f"Your request is on its way to {names}."
