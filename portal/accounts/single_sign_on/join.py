"""How a sign-in by a provider ends: signed in, refused, or asked to join an organization."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View

from integrations.members.acts import decline
from integrations.members.models.membership import PendingMembership
from integrations.pages.access import ORGANIZATION_SESSION_KEY
from integrations.queue import notify
from integrations.single_sign_on.acts.identities import Claims, Refusal, invitation_for, join
from integrations.single_sign_on.models import IdentityProvider
from portal.accounts.completion import SignInMethod, complete_sign_in

# The two ends of a sign-in by a provider: the person is signed in, or reads why not.


#: The session's key for the page to show afterwards.
NEXT_SESSION_KEY = "single_sign_on_next"


def refused(request: HttpRequest, sentence: str) -> HttpResponse:
    """Return the page that says why nobody was signed in."""
    return render(request, "accounts/single_sign_on_refused.html", {"sentence": sentence}, status=403)


def signed_in(request: HttpRequest, provider: IdentityProvider, user: User) -> HttpResponse:
    """Begin the session of a person that the provider vouched for; return the redirect to what they came for."""
    next_url = str(request.session.pop(NEXT_SESSION_KEY, None) or reverse("overview"))
    response = complete_sign_in(request, user, SignInMethod.SINGLE_SIGN_ON, next_url, provider)
    request.session[ORGANIZATION_SESSION_KEY] = provider.organization.slug
    return response


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


# The page where an invited person that the provider vouches for accepts or declines.


#: The session's key for the person that the provider vouched for, and how long that counts.
JOINING_SESSION_KEY = "single_sign_on_joining"
JOINING_SECONDS = 600


def ask(request: HttpRequest, provider: IdentityProvider, claims: Claims) -> HttpResponse:
    """Remember the person that the provider vouched for, and lead them to the question."""
    request.session[JOINING_SESSION_KEY] = {
        "provider": provider.pk,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "subject": claims.subject,
        "address": claims.address,
        "at": timezone.now().timestamp(),
    }
    return redirect("single-sign-on-join")


@method_decorator([login_not_required, never_cache], name="dispatch")
class JoinView(View):
    """Ask the person whether they join; looking at the page changes nothing."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show who invites them."""
        found = _joining(request)
        if found is None:
            return refused(request, Refusal.NOT_A_MEMBER.label)
        return render(request, "accounts/single_sign_on_join.html", {"pending": found[2]})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the answer; who accepts is signed in."""
        found = _joining(request)
        request.session.pop(JOINING_SESSION_KEY, None)
        if found is None:
            return refused(request, Refusal.NOT_A_MEMBER.label)
        provider, claims, pending = found
        if request.POST.get("answer") == "decline":
            decline(pending, pending.email)
            notify.notify_workers()
            messages.success(request, f"You declined the invitation of {pending.organization}.")
            return redirect("login")
        user = join(provider, claims, pending)
        if isinstance(user, Refusal):
            return refused(request, user.label)
        notify.notify_workers()
        return signed_in(request, provider, user)


def _joining(request: HttpRequest) -> tuple[IdentityProvider, Claims, PendingMembership] | None:
    stored = request.session.get(JOINING_SESSION_KEY)
    if not stored or not 0 <= timezone.now().timestamp() - stored["at"] <= JOINING_SECONDS:
        return None
    provider = (
        IdentityProvider.objects.on()
        .select_related("organization")
        # what another issuer or client says of its subjects isn't about the same people
        .filter(pk=stored["provider"], issuer=stored["issuer"], client_id=stored["client_id"])
        .first()
    )
    if provider is None:
        return None
    claims = Claims(stored["subject"], stored["address"], is_verified=True)
    pending = invitation_for(provider, claims)
    return (provider, claims, pending) if pending else None
