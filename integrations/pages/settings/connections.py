"""The page Integrations, for Super Admins: both connections, and their secrets.

Other members ask one of them there.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csp import csp_override

from integrations.accounts.acts.fresh_proof import FreshProofMixin
from integrations.api.acts import API_TOKENS, DEFAULT_DAYS, MOST_DAYS, MOST_TOKENS
from integrations.api.models import ApiScope
from integrations.audit.models.entry import Actor
from integrations.codescreen.acts import (
    KeyRefused,
    KeyStored,
    KeyStoredUntried,
    KeyUntried,
    replace_codescreen_key,
    save_codescreen_webhook_secret,
)
from integrations.health.findings import counted
from integrations.lever.acts.webhooks import save_main_token
from integrations.lever.regions import Region
from integrations.members.models.membership import SUPER_ADMINS
from integrations.organizations.models.organization import KEY_OVERLAP, Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.connection_state import codescreen_state, lever_state
from integrations.pages.settings.lever_connect import connect_policy
from integrations.pages.views import (
    ActView,
    OperationView,
    ProvenChangesMixin,
    show_as_messages,
)
from integrations.queue import notify
from integrations.queue.models.duty_run import INTERVALS, Duty

#: How often the sweep looks for what no webhook told.
SWEEP_MINUTES = INTERVALS[Duty.SWEEP] // timedelta(minutes=1)
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


class LeverKeyForm(forms.Form):
    """The key, and the region where there is a choice."""

    lever_api_key = secret_field(
        "Lever API key",
        "In Lever: Settings › Integrations and API › API Credentials, “Generate New Key”. Lever shows it this once.",
        required=True,
    )
    lever_region = forms.ChoiceField(
        label="Region of your Lever",
        help_text="The address at which you open Lever tells.",
        choices=Region.choices,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not Region.is_chosen():
            del self.fields["lever_region"]


class ApiTokenForm(forms.Form):
    """A new token of a program."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="Such as the program that reads.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="May read",
        choices=ApiScope.choices(),
        initial=list(ApiScope),
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(
        label="Expires after (days)",
        min_value=1,
        max_value=MOST_DAYS,
        initial=DEFAULT_DAYS,
        help_text=f"At most {MOST_DAYS}.",
    )


class SettingsView(OrganizationMixin, ProvenChangesMixin, OperationView):
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
        lever, tokens = lever_state(self.organization), list(API_TOKENS.of(self.organization))
        return {
            **context,
            "connections_form": ConnectionsForm(),
            "token_form": ApiTokenForm(),
            "tokens": tokens,
            "most_tokens": MOST_TOKENS if len(tokens) >= MOST_TOKENS else None,
            "sweep_minutes": SWEEP_MINUTES,
            "address_overlap": KEY_OVERLAP,
            "lever_key_form": LeverKeyForm(initial={"lever_region": lever.region}),
            **({self.form_name: context["form"]} if context["form"].is_bound else {}),
            "lever": lever,
            "codescreen": codescreen_state(self.organization),
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
        if not entered:
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


class SettingsFormView(SettingsView):
    """Another form of the page, to which its address leads."""

    allowed_roles = SUPER_ADMINS

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect(self.get_success_url())


class ConnectionActView(OrganizationMixin, FreshProofMixin, ActView):
    """A button of the page, for a person who has proven just now who they are."""

    allowed_roles = SUPER_ADMINS
    page_of_form = following_page = "settings"
    anchor = "#webhook"
