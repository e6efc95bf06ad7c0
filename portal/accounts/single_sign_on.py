"""Sign in by an organization's provider, try it before members use it, prove anew who one is."""

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.generic import FormView, View

from integrations.accounts.acts.fresh_proof import FRESH, FreshProofMixin, note_proof
from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.models.membership import PROVIDER_SESSION_KEY, SUPER_ADMINS
from integrations.pages.access import OrganizationMixin, memberships_of, return_url, without_searches
from integrations.pages.views import ActView
from integrations.single_sign_on.acts import identities
from integrations.single_sign_on.acts.identities import Claims, Refusal, invitation_for
from integrations.single_sign_on.acts.provider import note_try, provider_of
from integrations.single_sign_on.models import IdentityProvider, SignInDomain
from integrations.store import database
from portal.accounts.openid_connect import SignInFailed, SingleSignOnBackend
from portal.accounts.single_sign_on_join import NEXT_SESSION_KEY, ask, refused, signed_in
from portal.accounts.throttle import begin_at_provider, too_many

#: The session's key for the provider that a Super Admin is trying.
TRYING_SESSION_KEY = "single_sign_on_trying"
#: The session's key for a proof that its person was sent to give at their provider: since when, and where they go on.
PROVING_SESSION_KEY = "single_sign_on_proving"
#: What whole seconds, and the way of the answer, may add to a provider's times.
ROUNDING_SECONDS = 5.0

NOT_ANEW = (
    "Your provider doesn't say that you signed in there just now. Ask your IT to have it honour max_age and release "
    "auth_time."
)
NOT_YOU = (
    "Your provider signed in somebody else, or may no longer sign you in. Sign in there as yourself, or ask a Super "
    "Admin."
)
UNKNOWN_DOMAIN = (
    "No organization here has set up single sign-on for this address. Sign in with your password, or ask a Super Admin "
    "of your organization."
)
AGAIN = "Sign in again."

EXPLANATIONS = {
    "authorization_declined": f"Your provider says that the sign-in was refused or cancelled. {AGAIN}",
    "access_denied": "Your provider says that you may not use this portal. Ask your IT for access.",
    "state_mismatch": f"The provider's answer doesn't belong to the sign-in that you began here. {AGAIN}",
    "session_context_missing": f"The sign-in was begun in another window, or too long ago. {AGAIN}",
    "missing_parameter": f"The provider's answer was incomplete. {AGAIN}",
    "nonce_mismatch": f"The provider's token doesn't belong to the sign-in that you began here. {AGAIN}",
    "response_expired": "The provider's token is too old. The clocks of the two servers may differ. Ask your IT.",
    "response_not_yet_valid": "The provider's token isn't valid yet. The clocks of the two servers may differ.",
    "invalid_signature": "The provider's token isn't signed with one of its keys. Ask your IT.",
    "invalid_claim": "The provider's token was made for somebody else. Ask your IT to compare issuer and client id.",
    "missing_claim": "The provider's token lacks a part that is needed. Ask your IT.",
    "malformed_response": "The provider's answer could not be read. Ask your IT.",
    "credential_rejected": "The provider refuses the portal's client id or secret. A Super Admin enters them again.",
    "authorization_code_rejected": f"The provider refuses the code: it was used or is too old. {AGAIN}",
    "secret_missing": "The portal has no secret for the provider, or can't read it. A Super Admin enters it again.",
    "timeout": f"The provider didn't answer in time. Wait a minute. {AGAIN}",
    "connection_failed": f"The provider can't be reached, or its discovery document is wrong. Wait a minute. {AGAIN}",
    "http_error": f"The provider answered with an error. Wait a minute. {AGAIN}",
    "invalid_setting": "The provider's discovery document names an address that the portal doesn't call. Ask your IT.",
}


def explain(code: str) -> str:
    """Return what a person reads; text from the provider's answer is never shown."""
    return EXPLANATIONS.get(code, f"You were not signed in ({code}). {AGAIN}")


class AddressForm(forms.Form):
    """The address by whose domain the provider is found."""

    email = forms.EmailField(
        label="Your e-mail address at work",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


if TYPE_CHECKING:
    _AddressFormView = FormView[AddressForm]
else:
    _AddressFormView = FormView  # can't be subscripted when run


@method_decorator(login_not_required, name="dispatch")
class SingleSignOnView(_AddressFormView):
    """Ask for an e-mail address and send its person to the provider of its domain."""

    template_name = "accounts/single_sign_on.html"
    form_class = AddressForm

    def form_valid(self, form: AddressForm) -> HttpResponse:
        """Find the provider by the domain alone: the answer says nothing about who is a member."""
        if refusal := begin_at_provider(self.request):
            return too_many(self.request, refusal, what="sign-ins by single sign-on were begun")
        address = form.cleaned_data["email"]
        provider = provider_for(address)
        if provider is None:
            form.add_error("email", UNKNOWN_DOMAIN)
            return self.form_invalid(form)
        next_url = without_searches(return_url(self.request, reverse("overview")))
        self.request.session[NEXT_SESSION_KEY] = next_url
        try:
            return to_provider(self.request, provider, address)
        except SignInFailed as failed:
            form.add_error(None, explain(failed.code))
            return self.form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.request.GET.get("next", ""), **kwargs)


@method_decorator(login_not_required, name="dispatch")
class CompleteView(View):
    """Receive a person from the provider, and sign them in or say why not."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Let the provider's answer prove who the person is."""
        provider = (
            IdentityProvider.objects.select_related("organization").filter(organization__slug=slug).first()
        )
        if provider is None:
            return refused(request, Refusal.OFF.label)
        trying = request.session.pop(TRYING_SESSION_KEY, None)
        proving = request.session.pop(PROVING_SESSION_KEY, None)
        if proving is not None and request.session.get(PROVIDER_SESSION_KEY) == provider.pk:
            return _proven(request, provider, proving)
        try:
            claims = SingleSignOnBackend(request, provider).claims()
        except SignInFailed as failed:
            sentence = explain(failed.code)
            if trying != provider.pk or not request.user.is_authenticated:
                return refused(request, sentence)
            messages.error(request, sentence)
            return redirect("single-sign-on-settings")
        if trying == provider.pk:
            return _tried(request, provider, claims)
        found = identities.sign_in(provider, claims)
        if found is Refusal.NOT_A_MEMBER and invitation_for(provider, claims) is not None:
            return ask(request, provider, claims)
        if isinstance(found, Refusal):
            return refused(request, found.label)
        return signed_in(request, provider, found)


class TryView(OrganizationMixin, FreshProofMixin, ActView):
    """Send a Super Admin to their provider, to see whether it works before members use it."""

    page_of_form = following_page = "single-sign-on-settings"
    allowed_roles = SUPER_ADMINS

    def operate(self, form: forms.Form) -> HttpResponse:
        """Begin the attempt; its outcome is shown on the settings page, and the session stays as it is."""
        provider = provider_of(self.organization)
        if provider is None:
            raise ActionNotAllowed("Enter the provider first.")
        SingleSignOnBackend(self.request, provider).forget_discovery()
        try:
            response = to_provider(self.request, provider, self.user.email)
        except SignInFailed as failed:
            raise ActionNotAllowed(explain(failed.code)) from failed
        self.request.session[TRYING_SESSION_KEY] = provider.pk
        return response


def provider_for(address: str) -> IdentityProvider | None:
    """Return the provider in use for the proven domain of an address, if there is one."""
    proven = SignInDomain.objects.proven_of(address)
    providers = IdentityProvider.objects.on().select_related("organization")
    return providers.filter(organization__in=proven.values("organization")).first()


def to_provider(
    request: HttpRequest, provider: IdentityProvider, address: str = "", *, anew: bool = False
) -> HttpResponse:
    """Return the page that leads to the provider, for a sign-in, or `anew` for one there. Raises SignInFailed.

    A page and no redirect: the redirect of a form would need the provider's origin in the policy's `form-action`.
    """
    for earlier in (TRYING_SESSION_KEY, PROVING_SESSION_KEY):
        request.session.pop(earlier, None)
    target = SingleSignOnBackend(request, provider).authorization_address(address, anew=anew)
    context = {"target": target, "provider": provider}
    response = render(request, "accounts/single_sign_on_continue.html", context)
    response["Refresh"] = f"0; url={target}"
    return response


def provider_of_session(request: HttpRequest) -> IdentityProvider | None:
    """Return the provider that began the session, if it is in use."""
    providers = IdentityProvider.objects.on().select_related("organization")
    return providers.filter(pk=request.session.get(PROVIDER_SESSION_KEY) or 0).first()


def prove_anew(request: HttpRequest, provider: IdentityProvider, next_url: str) -> HttpResponse:
    """Return the page that leads to the session's provider, to prove there who one is. Raises SignInFailed."""
    response = to_provider(request, provider, cast(User, request.user).email, anew=True)
    request.session[PROVING_SESSION_KEY] = {
        "at": database.now().timestamp(),
        "next": without_searches(next_url),
    }
    return response


def _proven(request: HttpRequest, provider: IdentityProvider, proving: dict[str, Any]) -> HttpResponse:
    """Count it as a proof that the session's person signed in at the provider since they were asked; go on.

    Both times are by the provider's clock: its token must say that this is no longer ago than the question is here.
    """
    confirm = f"{reverse('account-confirm')}?{urlencode({'next': proving['next']})}"
    asked_ago = database.now().timestamp() - proving["at"]
    try:
        claims = SingleSignOnBackend(request, provider).claims()
    except SignInFailed as failed:
        messages.error(request, explain(failed.code))
        return redirect(confirm)
    if not identities.is_bound(provider, claims, request.user):
        messages.error(request, NOT_YOU)
        return redirect(confirm)
    longest = min(asked_ago, FRESH.total_seconds()) + ROUNDING_SECONDS
    if claims.age is None or not -ROUNDING_SECONDS <= claims.age <= longest:
        messages.error(request, NOT_ANEW)
        return redirect(confirm)
    note_proof(request)
    return redirect(proving["next"])


def _tried(request: HttpRequest, provider: IdentityProvider, claims: Claims) -> HttpResponse:
    """Record that the provider vouched for an address in a proven domain; only for the one who began it."""
    is_super_admin = memberships_of(request).filter(
        organization=provider.organization_id, role__in=SUPER_ADMINS
    )
    if not is_super_admin.exists():
        return refused(request, "Only a Super Admin can try single sign-on. Sign in first.")
    refusal = identities.usable_address(provider, claims)
    if refusal is None:
        note_try(provider, cast(User, request.user), timezone.now())
        messages.success(request, f"It works: your provider vouches for {claims.address}.")
    else:
        messages.error(
            request, f"Your provider answered, but members couldn't sign in this way. {refusal.label}"
        )
    return redirect("single-sign-on-settings")
