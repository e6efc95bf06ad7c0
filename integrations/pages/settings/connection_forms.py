"""Forms for the connections' secrets and for a new webhook address, and saving what they post."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django import forms
from django.core.exceptions import ValidationError

from integrations.models import Actor, Organization
from integrations.models.former_webhook_key import KEY_OVERLAP
from integrations.workflow.health.wording import counted
from integrations.workflow.operations.codescreen_connection import (
    KeyRefused,
    KeyStored,
    KeyStoredUntried,
    KeyUntried,
    replace_codescreen_key,
    save_codescreen_idempotency,
    save_codescreen_webhook_secret,
)
from integrations.workflow.operations.signature_tokens import save_main_token

MAX_OVERLAP_DAYS = 90
#: For each field that is only stored, the operation that saves it and the message afterwards.
_SECRETS: tuple[tuple[str, Callable[[Organization, str, Actor], None], str], ...] = (
    ("lever_signature_token", save_main_token, "The Lever Webhook Signature is stored."),
    ("codescreen_webhook_secret", save_codescreen_webhook_secret, "The webhook secret is stored."),
)


def _secret(label: str, help_text: str) -> forms.CharField:
    """Return a field whose stored value is never shown."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=2000, widget=widget)


class ConnectionsForm(forms.Form):
    """The secrets of both connections. Each field may be posted alone; an empty field changes nothing."""

    lever_signature_token = _secret(
        "Lever Webhook Signature",
        "In Lever: Settings › Integrations and API › Webhooks, the “Signature token” of “Candidate Stage Change”.",
    )
    codescreen_api_key = _secret("API key", "CodeScreen gives you this key for your account.")
    codescreen_untried = forms.BooleanField(
        label="Store the key without trying it",
        help_text="The key that is stored now goes at once, whether or not CodeScreen accepts the new one.",
        required=False,
    )
    codescreen_webhook_secret = _secret(
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
    additional_token = _secret("Signature token", "From Lever, beside the other webhook to the same address.")


class WebhookAddressForm(forms.Form):
    """For how long the address that is replaced still works."""

    overlap_days = forms.IntegerField(
        label="Honour the present address for so many days",
        min_value=0,
        max_value=MAX_OVERLAP_DAYS,
        initial=KEY_OVERLAP.days,
        help_text="0 refuses it at once: only if somebody else knows it.",
    )


@dataclass
class Saved:
    """What was saved, in sentences: those that are good news, and those to keep in mind."""

    messages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: Whether a key could not be tried and was not stored: a person may store it untried.
    offers_untried: bool = False


def save_secrets(form: ConnectionsForm, organization: Organization, actor: Actor) -> Saved:
    """Save each secret that was entered; what is invalid or refused becomes an error of its field."""
    saved = Saved()
    for name, save, message in _SECRETS:
        secret = form.cleaned_data[name]
        if not secret:
            continue
        try:
            save(organization, secret, actor)
        except ValidationError as error:
            form.add_error(name, error)
        else:
            saved.messages.append(message)
    if form.cleaned_data["codescreen_api_key"]:
        _save_key(form, organization, actor, saved)
    return saved


def _save_key(form: ConnectionsForm, organization: Organization, actor: Actor, saved: Saved) -> None:
    name, entered = "codescreen_api_key", form.cleaned_data
    try:
        outcome = replace_codescreen_key(
            organization, entered[name], actor, may_be_untried=entered["codescreen_untried"]
        )
    except ValidationError as error:
        form.add_error(name, error)
        return
    match outcome:
        case KeyStored(assessments):
            listed = counted(assessments, "assessment")
            saved.messages.append(f"The API key is stored: CodeScreen accepts it and lists {listed}.")
        case KeyStoredUntried(reason):
            saved.warnings.append(
                f"The API key is stored, but CodeScreen could not be asked whether it accepts it ({reason}). The "
                "portal asks again automatically."
            )
        case KeyRefused(reason, keeps_key):
            kept = " The key stored before stays in use." if keeps_key else ""
            form.add_error(
                name,
                f"CodeScreen refused this key, so it was not stored.{kept} Copy the whole key from CodeScreen again. "
                f"({reason})",
            )
        case KeyUntried(reason):
            saved.offers_untried = True
            form.add_error(
                name,
                f"CodeScreen could not be asked whether it accepts this key ({reason}). It was not stored, and the key "
                "stored before stays in use. Try again later, or enter it again and store it without trying it.",
            )


def save_idempotency(form: ConnectionsForm, organization: Organization, actor: Actor) -> list[str]:
    """Save the Idempotency-Key setting if its form was posted, and return the message; none when nothing changed."""
    # an unticked checkbox isn't posted, so the form names itself
    if not {"codescreen_form", "codescreen_idempotency"} & form.data.keys():
        return []
    is_honoured = form.cleaned_data["codescreen_idempotency"]
    is_changed = save_codescreen_idempotency(organization, is_honoured, actor)
    return ["The setting for idempotency keys is stored."] if is_changed else []
