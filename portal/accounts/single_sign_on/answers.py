"""The two ends of a sign-in by a provider: the person is signed in, or reads why not."""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from integrations.models import IdentityProvider
from integrations.pages.access import ORGANIZATION_SESSION_KEY
from portal.accounts.completion import SignInMethod, complete_sign_in

#: The session's key for the page to show afterwards.
NEXT_SESSION_KEY = "single_sign_on_next"


def refused(request: HttpRequest, sentence: str) -> HttpResponse:
    """Return the page that says why nobody was signed in."""
    return render(request, "accounts/single_sign_on_refused.html", {"sentence": sentence}, status=403)


def signed_in(request: HttpRequest, provider: IdentityProvider, user: User) -> HttpResponse:
    """Begin the session of a person whom the provider vouched for; return the redirect to what they came for."""
    next_url = str(request.session.pop(NEXT_SESSION_KEY, None) or reverse("overview"))
    response = complete_sign_in(request, user, SignInMethod.SINGLE_SIGN_ON, next_url, provider)
    request.session[ORGANIZATION_SESSION_KEY] = provider.organization.slug
    return response
