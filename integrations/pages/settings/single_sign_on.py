"""The page about single sign-on: the provider, the e-mail domains, whether members must use it, and who is bound."""

from functools import cached_property
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from integrations.accounts.acts.fresh_proof import FreshProofMixin
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http import public_web
from integrations.members.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.views import ActView, OperationView
from integrations.single_sign_on.acts import identities
from integrations.single_sign_on.acts.discovery import Undiscovered, check_provider
from integrations.single_sign_on.acts.domains import DomainCheck, add_domain, check_domain, remove_domain
from integrations.single_sign_on.acts.provider import (
    ProviderSettings,
    provider_of,
    remove_provider,
    save_provider,
    set_mode,
)
from integrations.single_sign_on.models import IdentityProvider, ProviderIdentity, SignInDomain


class ProviderForm(forms.Form):
    """What a Super Admin copies from the provider."""

    issuer = forms.CharField(
        label="Issuer",
        max_length=500,
        help_text="The provider's address, such as https://login.example.com, exactly as the provider gives it.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_id = forms.CharField(
        label="Client id",
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = forms.CharField(
        label="Client secret",
        max_length=1000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    counts_as_second_factor = forms.BooleanField(
        label="The provider's sign-in counts as second factor",
        required=False,
        initial=True,
        help_text="Leave it on when your provider asks for a second factor itself.",
    )


class SingleSignOnSettingsView(OrganizationMixin, FreshProofMixin, OperationView):
    """Show everything about the organization's single sign-on; save the provider on POST.

    It and each button take a fresh proof: who chooses the provider can sign in as every member.
    """

    template_name = "integrations/single_sign_on.html"
    allowed_roles = SUPER_ADMINS
    form_class = ProviderForm
    following_page = "single-sign-on-settings"

    @cached_property
    def provider(self) -> IdentityProvider | None:
        """The organization's provider as it was when the request came."""
        return provider_of(self.organization)

    def get_initial(self) -> dict[str, Any]:
        """Return what is stored; the secret is never shown."""
        shown = ("issuer", "client_id", "counts_as_second_factor")
        return {name: getattr(self.provider, name) for name in shown} if self.provider else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        path = reverse("single-sign-on-complete", kwargs={"slug": self.organization.slug})
        bound = self.provider.identities.select_related("user") if self.provider else None
        return super().get_context_data(
            provider=self.provider,
            redirect_address=f"{settings.PORTAL_URL}{path}",
            domains=self.organization.sign_in_domains.all(),
            modes=IdentityProvider.Mode.choices,
            identities=[] if bound is None else bound.order_by("user__username"),
            **kwargs,
        )

    def operate(self, form: Form) -> str | HttpResponse | None:
        """Save the provider, and ask it for its discovery document."""
        public_web.begin_customer_call(
            self.organization.pk
        )  # nothing is stored when the provider can't be asked now
        if not save_provider(self.organization, ProviderSettings(**form.cleaned_data), self.user):
            return None
        provider = provider_of(self.organization)
        found = check_provider(provider) if provider else None
        if isinstance(found, Undiscovered):
            messages.warning(self.request, f"The provider is stored, but can't be used yet. {found.reason}")
            return redirect(self.get_success_url())
        return "The provider is stored, and answers. Now try it."


class _SingleSignOnAct(OrganizationMixin, FreshProofMixin, ActView):
    """A button of the page."""

    page_of_form = following_page = "single-sign-on-settings"
    allowed_roles = SUPER_ADMINS

    def domain(self) -> SignInDomain:
        """Return the domain that the address names; 404 for another organization's."""
        return get_object_or_404(self.organization.sign_in_domains, pk=self.kwargs["pk"])


class ModeView(_SingleSignOnAct):
    """Say whether members may or must use single sign-on."""

    def operate(self, form: Form) -> str | None:
        is_changed = set_mode(self.organization, self.request.POST.get("mode", ""), self.user)
        return "Your choice is stored." if is_changed else None


class RemoveProviderView(_SingleSignOnAct):
    """Delete the provider."""

    def operate(self, form: Form) -> str:
        """Delete it; members sign in with their passwords again."""
        if not remove_provider(self.organization, self.user):
            raise ActionNotAllowed("There is no provider.")
        return "The provider is removed. Members sign in with their passwords."


class AddDomainView(_SingleSignOnAct):
    """Name a domain to prove."""

    anchor = "#domains"

    def operate(self, form: Form) -> str:
        """Store the domain; the page then shows the record to make."""
        domain = add_domain(self.organization, self.request.POST.get("domain", ""), self.user)
        return f"Now make the TXT record of {domain}, and press “Check”."


class CheckDomainView(_SingleSignOnAct):
    """Look the record of a domain up."""

    anchor = "#domains"

    def operate(self, form: Form) -> HttpResponse:
        """Store and say what the look-up showed."""
        domain = self.domain()
        proof = check_domain(domain, self.user)
        level = messages.SUCCESS if proof is DomainCheck.FOUND else messages.WARNING
        messages.add_message(self.request, level, f"{domain}: {proof.label}")
        return redirect(self.get_success_url())


class RemoveDomainView(_SingleSignOnAct):
    """Remove a domain."""

    anchor = "#domains"

    def operate(self, form: Form) -> str:
        """Remove it: single sign-on no longer concerns such addresses."""
        domain = self.domain()
        remove_domain(domain, self.user)
        return f"{domain} is removed."


class UnbindView(_SingleSignOnAct):
    """Forget who a member is at the provider."""

    anchor = "#people"

    def operate(self, form: Form) -> str:
        """Unbind the member; their next sign-in binds them by their address again."""
        rows = ProviderIdentity.objects.filter(provider__organization=self.organization)
        identity = get_object_or_404(
            rows.select_related("user", "provider__organization"), pk=self.kwargs["pk"]
        )
        identities.unbind(identity, self.user)
        return f"{identity.user} is linked again at their next sign-in."
