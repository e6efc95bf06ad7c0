"""Providers of single sign-on: the operator enters them here, since the portal calls the host that one names."""

from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialApp
from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from integrations.accounts.acts.fresh_proof import proof_wanted
from integrations.admin.base import PortalWideAdmin, ProvenFormAdmin, current_user, is_superuser
from integrations.admin.display import column, columns
from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.acts import save_provider, unlink


class ProviderForm(forms.ModelForm):
    """What the operator copies from the provider, and which people it signs in. The secret is never shown."""

    name = forms.CharField(max_length=40, help_text="Its button says: Sign in with …")
    provider_id = forms.SlugField(
        label="Name in its address",
        max_length=40,
        help_text="Register https://PORTAL/accounts/oidc/NAME/login/callback/ at the provider.",
    )
    issuer = forms.URLField(
        assume_scheme="https",
        help_text="The provider's address, below which /.well-known/openid-configuration answers.",
    )
    client_secret = forms.CharField(
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Empty keeps the stored one.",
    )
    organization = forms.ModelChoiceField(
        Organization.objects.order_by("name"),
        required=False,
        empty_label="every organization",
        help_text="Whose members it signs in. Another organization's people are out of its reach.",
    )
    is_listed = forms.BooleanField(
        label="Show its button on the sign-in page",
        required=False,
        initial=True,
        help_text="Else people open its own address, /accounts/oidc/NAME/login/.",
    )
    is_on = forms.BooleanField(label="In use", required=False, initial=True)

    class Meta:
        model = SocialApp
        fields = ("name", "provider_id", "client_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            row = self.instance.single_sign_on
            self.initial.update({name: getattr(row, name) for name in ("organization", "is_listed", "is_on")})
            self.initial["issuer"] = self.instance.settings["server_url"]

    def clean_provider_id(self) -> str:
        """Return the name. Raises ValidationError for one that another provider has."""
        name = str(self.cleaned_data["provider_id"])
        others = SocialApp.objects.filter(provider_id=name).exclude(pk=self.instance.pk)
        if others.exists() or name == "sso":  # the environment's
            raise ValidationError("Another provider has this name.")
        return name

    def clean_issuer(self) -> str:
        """Return the address. Raises ValidationError where others could read what is sent to it."""
        issuer = str(self.cleaned_data["issuer"]).rstrip("/")
        if not issuer.startswith("https://") and not settings.IS_LOCAL:
            raise ValidationError("The address must begin with https://.")
        return issuer

    def clean_client_secret(self) -> str:
        """Return the secret. Raises ValidationError for a new provider without one."""
        if not self.instance.pk and not self.cleaned_data["client_secret"]:
            raise ValidationError("Enter the secret that the provider shows.")
        return str(self.cleaned_data["client_secret"])


@admin.register(SocialApp)
class ProviderAdmin(ProvenFormAdmin):
    """Who is asked at sign-in besides the portal itself. One that is no longer used is switched off."""

    form = ProviderForm
    fields = columns("name provider_id issuer client_id client_secret organization is_listed is_on")
    list_display = columns("name provider_id client_id signs_in is_on")
    list_select_related = ("single_sign_on__organization",)

    signs_in = column("signs in", lambda app: app.single_sign_on.organization or "every organization")
    is_on = column("in use", lambda app: "Yes" if app.single_sign_on.is_on else "No")

    def save_model(self, request: HttpRequest, obj: SocialApp, form: Any, change: bool) -> None:
        """Store the provider, audited."""
        save_provider(obj, form.cleaned_data, form.changed_data, current_user(request))


@admin.register(SocialAccount)
class ProviderAccountAdmin(PortalWideAdmin):
    """Who people are at their providers. To delete a row unlinks its person until they sign in there again."""

    list_display = columns("user provider uid last_login")
    fields = columns("user provider uid date_joined last_login")
    list_filter = ("provider",)
    search_fields = ("user__username",)
    search_hint = "a user name"
    list_select_related = ("user",)
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: SocialAccount | None = None) -> bool:
        return is_superuser(request)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Ask whether to unlink the person; do it on POST. Both take a fresh proof."""
        wanted = proof_wanted(request, request.get_full_path())
        return wanted or super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: SocialAccount) -> None:
        """Unlink the person, audited."""
        unlink(obj, current_user(request))
