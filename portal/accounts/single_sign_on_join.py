"""How a sign-in by a provider ends: the person is signed in, reads why not, or is asked to join an organization."""

from typing import NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.generic import View

from integrations.members.acts.invitations import decline
from integrations.members.models.pending import PendingMembership
from integrations.pages.access import ORGANIZATION_SESSION_KEY
from integrations.queue import notify
from integrations.single_sign_on.acts.identities import Claims, Refusal, invitation_for, join
from integrations.single_sign_on.models import IdentityProvider
from portal.accounts.completion import SignInMethod, complete_sign_in

#: The session's key for the page to show afterwards.
NEXT_SESSION_KEY = "single_sign_on_next"
#: The session's key for the person that the provider vouched for, and how long that counts.
JOINING_SESSION_KEY = "single_sign_on_joining"
JOINING_SECONDS = 600


def refused(request: HttpRequest, sentence: str) -> HttpResponse:
    """Return the page that says why nobody was signed in."""
    return render(request, "accounts/single_sign_on_refused.html", {"sentence": sentence}, status=403)


def signed_in(request: HttpRequest, provider: IdentityProvider, user: User) -> HttpResponse:
    """Begin the session of a person that the provider vouched for; return the redirect to what they came for."""
    next_url = str(request.session.pop(NEXT_SESSION_KEY, None) or reverse("overview"))
    response = complete_sign_in(request, user, SignInMethod.SINGLE_SIGN_ON, next_url, provider)
    request.session[ORGANIZATION_SESSION_KEY] = provider.organization.slug
    return response


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


class _Joining(NamedTuple):
    """A person that a provider vouches for, and the invitation that they may accept."""

    provider: IdentityProvider
    claims: Claims
    pending: PendingMembership


@method_decorator(login_not_required, name="dispatch")
class JoinView(View):
    """Ask the person whether they join; looking at the page changes nothing."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = _joining(request)
        if found is None:
            return refused(request, Refusal.NOT_A_MEMBER.label)
        return render(request, "accounts/single_sign_on_join.html", {"pending": found.pending})

    def post(self, request: HttpRequest) -> HttpResponse:
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


def _joining(request: HttpRequest) -> _Joining | None:
    """Return the join that the person was sent here for; None where it ended, or the provider was changed."""
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
    return _Joining(provider, claims, pending) if pending else None
