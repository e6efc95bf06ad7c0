"""The page about single sign-on: the provider, the e-mail domains, whether members must use it, and who is bound."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.generic import TemplateView

from integrations.http import customer_calls
from integrations.models import IdentityProvider, ProviderIdentity, SignInDomain
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.recent_sign_in import RecentSignInMixin
from integrations.workflow.operations.single_sign_on import domains, identities
from integrations.workflow.operations.single_sign_on.domains import Proof
from integrations.workflow.operations.single_sign_on.provider_settings import (
    ProviderSettings,
    provider_of,
    remove_provider,
    save_provider,
    set_mode,
)
from integrations.workflow.operations.single_sign_on.upkeep import check_provider

PAGE = "single-sign-on-settings"


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


class SingleSignOnSettingsView(OrganizationMixin, RecentSignInMixin, TemplateView):
    """Show everything about the organization's single sign-on; save the provider on POST.

    It and each button take a fresh proof: who chooses the provider can sign in as every member.
    """

    template_name = "integrations/single_sign_on.html"
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read what is stored; the secret is never shown."""
        provider = provider_of(self.organization)
        context = super().get_context_data(**kwargs)
        context.setdefault("provider_form", ProviderForm(initial=_initial(provider)))
        path = reverse("single-sign-on-complete", kwargs={"slug": self.organization.slug})
        return {
            **context,
            "provider": provider,
            "redirect_address": f"{settings.PORTAL_URL}{path}",
            "domains": self.organization.sign_in_domains.all(),
            "modes": IdentityProvider.Mode.choices,
            "identities": _identities(provider),
            "now": timezone.now(),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save the provider, and ask it for its discovery document."""
        form = ProviderForm(request.POST)
        if not form.is_valid() or not self._save(form):
            return self.render_to_response(self.get_context_data(provider_form=form))
        return redirect(PAGE)

    def _save(self, form: ProviderForm) -> bool:
        customer_calls.begin(self.organization.pk)  # nothing is stored when the provider can't be asked now
        try:
            changes = save_provider(self.organization, ProviderSettings(**form.cleaned_data), self.user)
        except ValidationError as error:
            form.add_error(None, error)
            return False
        if not changes:
            messages.info(self.request, "Nothing was changed.")
            return True
        provider = provider_of(self.organization)
        failure = check_provider(provider) if provider else ""
        if failure:
            messages.warning(self.request, f"The provider is stored, but can't be used yet. {failure}")
        else:
            messages.success(self.request, "The provider is stored, and answers. Now try it.")
        return True


class _SingleSignOnAction(OrganizationMixin, RecentSignInMixin):
    """A button of the page."""

    http_method_names = ["post"]
    page_of_form = PAGE
    allowed_roles = SUPER_ADMINS

    def domain(self) -> SignInDomain:
        """Return the domain that the address names; 404 for another organization's."""
        return get_object_or_404(self.organization.sign_in_domains, pk=self.kwargs["pk"])


class ModeView(_SingleSignOnAction):
    """Say whether members may or must use single sign-on."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the choice, or say what is missing."""
        try:
            is_changed = set_mode(self.organization, request.POST.get("mode", ""), self.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, "Your choice is stored." if is_changed else "Nothing was changed.")
        return redirect(PAGE)


class RemoveProviderView(_SingleSignOnAction):
    """Delete the provider."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Delete it; members sign in with their passwords again."""
        if remove_provider(self.organization, self.user):
            messages.success(request, "The provider is removed. Members sign in with their passwords.")
        else:
            messages.info(request, "There is no provider.")
        return redirect(PAGE)


class AddDomainView(_SingleSignOnAction):
    """Name a domain to prove."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the domain; the page then shows the record to make."""
        try:
            domain = domains.add_domain(self.organization, request.POST.get("domain", ""), self.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, f"Now make the TXT record of {domain}, and press “Check”.")
        return redirect(reverse(PAGE) + "#domains")


class CheckDomainView(_SingleSignOnAction):
    """Look the record of a domain up."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Store and say what the look-up showed."""
        domain = self.domain()
        proof = domains.check_domain(domain, self.user)
        level = messages.SUCCESS if proof is Proof.FOUND else messages.WARNING
        messages.add_message(request, level, f"{domain}: {proof.label}")
        return redirect(reverse(PAGE) + "#domains")


class RemoveDomainView(_SingleSignOnAction):
    """Remove a domain."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove it: single sign-on no longer concerns such addresses."""
        domain = self.domain()
        domains.remove_domain(domain, self.user)
        messages.success(request, f"{domain} is removed.")
        return redirect(reverse(PAGE) + "#domains")


class UnbindView(_SingleSignOnAction):
    """Forget who a member is at the provider."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Unbind the member; their next sign-in binds them by their address again."""
        rows = ProviderIdentity.objects.filter(provider__organization=self.organization)
        identity = get_object_or_404(rows.select_related("user", "provider__organization"), pk=pk)
        identities.unbind(identity, self.user)
        messages.success(request, f"{identity.user} is bound anew at their next sign-in.")
        return redirect(reverse(PAGE) + "#people")


def _initial(provider: IdentityProvider | None) -> dict[str, Any]:
    if provider is None:
        return {}
    return {
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "counts_as_second_factor": provider.counts_as_second_factor,
    }


def _identities(provider: IdentityProvider | None) -> list[ProviderIdentity]:
    if provider is None:
        return []
    return list(provider.identities.select_related("user").order_by("user__username"))
