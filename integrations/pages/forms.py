"""The forms of the settings, mapping and member pages."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.validators import UnicodeUsernameValidator

from integrations.models import Membership, Organization, RoleMapping
from integrations.queue import notify
from integrations.workflow.email import password_reset


def _secret(label: str, help_text: str) -> forms.CharField:
    """A field that is never filled in with what is stored."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=2000, widget=widget)


class ConnectionsForm(forms.Form):
    """The secrets of both connections; each field may be posted alone, and an empty one changes nothing."""

    lever_signature_token = _secret(
        "Signature token",
        "From Lever: Settings › Integrations and API › Webhooks, beside “Candidate Stage Change”.",
    )
    codescreen_api_key = _secret("API key", "CodeScreen gives you this key for your account.")
    codescreen_webhook_secret = _secret(
        "Webhook secret", "Only if CodeScreen sends your account webhooks. It begins with whsec_."
    )
    codescreen_idempotency = forms.BooleanField(
        label="The account honours the Idempotency-Key header",
        help_text="Then an invitation whose answer got lost can be sent again safely. Ask CodeScreen if unsure.",
        required=False,
    )


class ForgottenPasswordForm(PasswordResetForm):
    """Where to send a link to choose a password; says nothing of whether anybody has that address."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The one to which your invitation came.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def save(self, *args: Any, **options: Any) -> None:
        """Leave it to the outbox, which makes the link when it sends it, and tries again when it can't."""
        password_reset.send_links(self.cleaned_data["email"])
        notify.notify_workers()


class AddTokenForm(forms.Form):
    """A signature token to be honoured beside those there are."""

    token_name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="For you, such as “Second webhook”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    additional_token = _secret("Signature token", "From Lever, beside the other webhook to the same address.")


class PoliciesForm(forms.ModelForm):
    """The organization's policies."""

    class Meta:
        model = Organization
        fields = [
            "paused",
            "stage_prefix",
            "default_assessment",
            "note_on_skip",
            "bulk_limit",
            "bulk_window",
            "rating_2_from",
            "rating_3_from",
            "rating_4_from",
            "reentry",
            "reentry_days",
            "leaving",
            "retention_days",
            "passed_tag",
            "failed_tag",
            "passed_stage",
            "hold_failed",
        ]
        labels = {
            "paused": "Pause: send nothing for now",
            "note_on_skip": "Leave a note in Lever when nothing was sent",
            "bulk_limit": "Hold invitations beyond",
            "bulk_window": "within this many minutes",
            "rating_2_from": "Rating 2 from score",
            "rating_3_from": "Rating 3 from score",
            "rating_4_from": "Rating 4 from score",
            "reentry": "Entering the stage again",
            "reentry_days": "Days since completion for a new round",
            "leaving": "Leaving the stage before starting",
            "retention_days": "Remove personal data after days",
            "passed_tag": "Tag for Passed",
            "failed_tag": "Tag for Failed",
            "passed_stage": "Stage on pass",
            "hold_failed": "Hold those who failed for a person",
        }
        widgets = {
            "default_assessment": forms.TextInput(attrs={"list": "known-assessments", "autocomplete": "off"}),
            "passed_stage": forms.TextInput(attrs={"list": "known-targets", "autocomplete": "off"}),
        }

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        """Keep what is stored of a policy that isn't posted at all; an unticked box is never posted."""
        if data is not None:
            data = data.copy()
            for name in self.Meta.fields:
                if not isinstance(self.base_fields[name], forms.BooleanField):
                    data.setdefault(name, str(getattr(kwargs["instance"], name)))
        super().__init__(data, **kwargs)

    def changes(self) -> dict[str, Any]:
        """Return the policies that differ from what is stored."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class BrandingForm(forms.ModelForm):
    """What stands around every e-mail."""

    class Meta:
        model = Organization
        fields = ["brand_logo_url", "brand_colour", "brand_signature"]
        labels = {
            "brand_logo_url": "Logo",
            "brand_colour": "Colour",
            "brand_signature": "Signature",
        }
        widgets = {
            "brand_logo_url": forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
            "brand_colour": forms.TextInput(attrs={"type": "color"}),
            "brand_signature": forms.Textarea(attrs={"rows": 3}),
        }

    def clean_brand_signature(self) -> str:
        """Store line ends as one kind, whatever the browser sends."""
        return str(self.cleaned_data["brand_signature"]).replace("\r\n", "\n")

    def changes(self) -> dict[str, Any]:
        """Return what differs from what is stored."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class RoleMappingForm(forms.ModelForm):
    """Role × stage → assessment; names are suggested and may be typed freely, because they resolve when used."""

    class Meta:
        model = RoleMapping
        fields = ["role", "stage", "assessment"]
        widgets = {
            "role": forms.TextInput(attrs={"list": "known-roles", "autocomplete": "off"}),
            "stage": forms.TextInput(
                attrs={"list": "known-stages", "autocomplete": "off", "placeholder": "any CodeScreen stage"}
            ),
            "assessment": forms.TextInput(attrs={"list": "known-assessments", "autocomplete": "off"}),
        }
        labels = {"stage": "Stage (optional)"}

    def clean(self) -> dict[str, Any]:
        """Refuse a second answer for the same role and stage; the constraint names a column the form hasn't."""
        cleaned = super().clean() or {}
        same = RoleMapping.objects.filter(
            organization=self.instance.organization_id,
            role=cleaned.get("role", ""),
            stage=cleaned.get("stage", ""),
        )
        if same.exclude(pk=self.instance.pk).exists():
            self.add_error(None, "This role already has an assessment for that stage.")
        return cleaned


class InviteMemberForm(forms.Form):
    """Who is to become a member, and as what."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(
        label="Role", choices=Membership.Role.choices, initial=Membership.Role.TEAM_MEMBER
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization

    def clean(self) -> dict[str, Any]:
        """Refuse a name that belongs to somebody else, and somebody who is a member already."""
        cleaned = super().clean() or {}
        if "username" not in cleaned or "email" not in cleaned:
            return cleaned
        known = get_user_model().objects.filter(username__iexact=cleaned["username"]).first()
        if known is not None and (known.email or "").casefold() != cleaned["email"].casefold():
            self.add_error("username", "Somebody else has this user name. Choose another.")
        elif known is not None and self.organization.memberships.filter(user=known).exists():
            self.add_error("username", "This person is a member already: change their role in the list.")
        cleaned["user"] = known
        return cleaned


class ReasonForm(forms.Form):
    """Why a person decided so; optional, kept in the audit log."""

    reason = forms.CharField(required=False, max_length=500)


class ResolveForm(ReasonForm):
    """The CodeScreen instance an uncertain invitation turned out to have."""

    instance_id = forms.CharField(label="CodeScreen's instance id", max_length=200)
