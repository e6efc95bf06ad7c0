"""The Connections page, for Super Admins: the state of both connections, and their secrets.

Other members ask one of them there.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csp import csp_override

from integrations.audit.models.entry import Actor
from integrations.catalog.models import Assessment
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
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import ActionNotAllowed, Platform, WebhookEvent
from integrations.health import webhook_rejections
from integrations.health.findings import counted
from integrations.lever.acts import (
    active_tokens,
    recently_retired,
    save_main_token,
    webhooks_at_former_addresses,
)
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.oauth import scopes_of
from integrations.members.models.membership import SUPER_ADMINS
from integrations.notifications.account_notices import send_request
from integrations.organizations.acts import honoured_former_keys
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.webhook_keys import KEY_OVERLAP
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.lever_connect import connect_policy
from integrations.pages.views import ActView, ConfirmedActView, OperationView, show_as_messages
from integrations.queue import notify

MAX_OVERLAP_DAYS = 90
#: For each field that is only stored, the operation that saves it and the message afterwards.
_SECRETS: tuple[tuple[str, Callable[[Organization, str, Actor], None], str], ...] = (
    ("lever_signature_token", save_main_token, "The Lever Webhook Signature is stored."),
    ("codescreen_webhook_secret", save_codescreen_webhook_secret, "The webhook secret is stored."),
)


def secret_field(label: str, help_text: str, *, required: bool = False) -> forms.CharField:
    """Return a field whose stored value is never shown."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(
        label=label, help_text=help_text, required=required, max_length=2000, widget=widget
    )


class ConnectionsForm(forms.Form):
    """The secrets of both connections. Each field may be posted alone; an empty field changes nothing."""

    #: Whether a key could not be tried and was not stored: a person may store it untried.
    offers_untried = False

    lever_signature_token = secret_field(
        "Lever Webhook Signature",
        "In Lever: Settings › Integrations and API › Webhooks, the “Signature token” of “Candidate Stage Change”.",
    )
    codescreen_api_key = secret_field("API key", "CodeScreen gives you this key for your account.")
    codescreen_untried = forms.BooleanField(
        label="Store the key without trying it",
        help_text="The key that is stored now goes at once, whether or not CodeScreen accepts the new one.",
        required=False,
    )
    codescreen_webhook_secret = secret_field(
        "Webhook secret", "Only if CodeScreen sends your account webhooks. It begins with whsec_."
    )
    codescreen_idempotency = forms.BooleanField(
        label="The account supports idempotency keys",
        help_text="An invitation whose answer got lost can then be sent again safely. Ask CodeScreen if unsure.",
        required=False,
    )


class AddTokenForm(forms.Form):
    """An additional signature token, accepted beside the existing ones."""

    token_name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="For you, such as “Second webhook”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    additional_token = secret_field(
        "Signature token", "From Lever, beside the other webhook to the same address."
    )


class WebhookAddressForm(forms.Form):
    """For how long the address that is replaced still works."""

    overlap_days = forms.IntegerField(
        label="Honour the present address for so many days",
        min_value=0,
        max_value=MAX_OVERLAP_DAYS,
        initial=KEY_OVERLAP.days,
        help_text="0 refuses it at once: only if somebody else knows it.",
    )


def lever_state(organization: Organization) -> dict[str, Any]:
    """Return what the page shows of Lever: the connection with its scopes, the signature tokens and the webhooks."""
    connections = LeverConnection.objects.filter(organization=organization).select_related("connected_by")
    connection = connections.first()
    granted = connection.granted_scopes if connection and connection.is_working else set()
    # a write scope includes its read scope
    scopes = [
        (name, reason, bool(granted & {name, name.replace(":read:", ":write:")}))
        for name, reason in scopes_of(attaches_files=organization.attach_report).items()
    ]
    webhooks = list(LeverWebhook.objects.active().filter(organization=organization).order_by("pk"))
    tokens = active_tokens(organization)
    by_api = [row for row in webhooks if row.origin == LeverWebhook.Origin.API]
    made = {webhook.event for webhook in by_api}
    # when Lever last sent a verified delivery or test request
    times = [at for webhook in webhooks for at in (webhook.last_received_at, webhook.last_verified_at) if at]
    accepted_at = max(times, default=None)
    return {
        "connection": connection,
        "can_connect": bool(settings.LEVER_CLIENT_ID and settings.LEVER_CLIENT_SECRET),
        "scopes": scopes,
        "granted_count": sum(is_granted for _, _, is_granted in scopes),
        # not while no scopes are stored for a working connection
        "scopes_known": bool(granted),
        "tokens": tokens,
        "retired_webhooks": recently_retired(organization),
        "manual_webhooks": [row for row in webhooks if row.origin == LeverWebhook.Origin.MANUAL],
        "api_webhooks": by_api,
        # a token that can't be read: Lever doesn't show it a second time
        "must_make_webhook_again": any(webhook.unreadable_tokens for webhook in by_api),
        # the portal made webhooks, but not for every event that it asks for by now
        "lacks_webhook": bool(made) and not made.issuperset(WebhookEvent),
        # a token is stored that can verify deliveries
        "is_ready": any(not token.is_unreadable for token in tokens),
        "has_heard": accepted_at is not None,
        "rejection": _rejection(organization, Platform.LEVER, accepted_at),
        "former_keys": honoured_former_keys(organization),
        # Lever still sends the portal's own webhook to a former address
        "must_move_webhook": bool(webhooks_at_former_addresses(organization)),
    }


def codescreen_state(organization: Organization) -> dict[str, Any]:
    """Return CodeScreen's connection, how many assessments it lists, and its last rejected webhook."""
    connection = CodeScreenConnection.objects.filter(organization=organization).first()
    accepted_at = connection.last_received_at if connection else None
    return {
        "connection": connection,
        "assessment_count": Assessment.objects.live().filter(organization=organization).count(),
        "rejection": _rejection(organization, Platform.CODESCREEN, accepted_at),
    }


def _rejection(
    organization: Organization, platform: Platform, accepted_at: datetime | None
) -> dict[str, Any] | None:
    """Return the last webhook request that was rejected; `is_over` once a later request was accepted."""
    row = webhook_rejections.latest(organization, platform)
    if row is None:
        return None
    return {
        "row": row,
        "title": webhook_rejections.short_reason(row.code),
        "fix": webhook_rejections.fix(row.code, row.hint),
        "is_over": bool(accepted_at and accepted_at > row.last_at),
    }


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
        is_honoured = bool(codescreen["connection"] and codescreen["connection"].idempotency)
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
        show_as_messages(self.request, form)
        return redirect(page)


class ConnectionActView(OrganizationMixin, ActView):
    """A button of the page."""

    allowed_roles = SUPER_ADMINS
    following_page = "settings"
    anchor = "#webhook"


class ConfirmedConnectionActView(ConnectionActView, ConfirmedActView):
    """A button that leads to a page which asks first."""


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
