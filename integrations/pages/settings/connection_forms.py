"""Forms for the connections' secrets and for a new webhook address."""

from django import forms

from integrations.organizations.models.webhook_keys import KEY_OVERLAP

MAX_OVERLAP_DAYS = 90


def _secret(label: str, help_text: str) -> forms.CharField:
    """Return a field whose stored value is never shown."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=2000, widget=widget)


class ConnectionsForm(forms.Form):
    """The secrets of both connections. Each field may be posted alone; an empty field changes nothing."""

    #: Whether a key could not be tried and was not stored: a person may store it untried.
    offers_untried = False

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
