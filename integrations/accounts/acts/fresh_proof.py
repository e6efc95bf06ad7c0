"""Whether a person has just proven who they are, and whether a session is strong: by django-allauth's records."""

import time
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import View

from integrations.organizations.models.organization import Organization

#: How long a proof counts, a sign-in among them; for a form, which takes time to fill in, longer.
FRESH = timedelta(minutes=5)
FRESH_FOR_FORMS = timedelta(minutes=15)


def is_strong(request: HttpRequest) -> bool:
    """Whether a second factor, or a passkey, was given in this session."""
    return any(record["method"] == "mfa" for record in _records(request))


def is_admitted(request: HttpRequest, organization: Organization) -> bool:
    """Whether this session may see the organization, as far as its policy about second factors goes."""
    return not organization.requires_second_factor or is_strong(request)


def has_second_factor(user: User) -> bool:
    """Whether the person has an authenticator app or a passkey. Recovery codes alone don't count."""
    return bool(is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]))


def is_proven(request: HttpRequest) -> bool:
    """Whether the person proved lately who they are: by their second factor if they have one, else by their password.

    What a provider says of them is no proof: it could add a factor, which opens what they join later.
    """
    has_factor = has_second_factor(cast(User, request.user))
    longest = FRESH_FOR_FORMS if request.method == "POST" else FRESH
    return any(
        # the clock of the node that took the proof may be ahead
        abs(time.time() - record["at"]) <= longest.total_seconds()
        for record in _records(request)
        if (record["method"] == "mfa" if has_factor else record["method"] != "socialaccount")
    )


def proof_wanted(request: HttpRequest, page: str) -> HttpResponse | None:
    """Return the redirect to what the person has to prove first, which leads on to `page`; None when nothing is.

    Nothing that a form holds is kept meanwhile.
    """
    if is_proven(request):
        return None
    if request.method == "POST":
        messages.info(request, "Then send the form again: nothing was changed yet.")
    methods = get_adapter().get_reauthentication_methods(request.user)
    address = methods[0]["url"] if methods else reverse("account_set_password")
    return redirect(f"{address}?{urlencode({'next': page})}")


class FreshProofMixin(View):
    """A view for a person who has proven just now who they are; others are asked for their second factor or password.

    That holds for each method.
    """

    #: The page to go to after a form was refused; by default the view's own.
    page_of_form = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask first for the second factor or the password, unless it was given lately."""
        if request.user.is_authenticated:
            page = reverse(self.page_of_form) if self.page_of_form else request.get_full_path()
            if wanted := proof_wanted(request, page):
                return wanted
        return super().dispatch(request, *args, **kwargs)


def note_factor(request: HttpRequest, factor: Authenticator) -> None:
    """Let the session count as one in which this factor, which was set up in it just now, was given."""
    given = {"method": "mfa", "at": time.time(), "id": factor.pk, "type": factor.type}
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [*_records(request), given]


def forget_factors(request: HttpRequest) -> None:
    """Let the session count as one in which no second factor was given."""
    rest = [record for record in _records(request) if record["method"] != "mfa"]
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = rest


def _records(request: HttpRequest) -> list[dict[str, Any]]:
    if not hasattr(request, "session") or not request.user.is_authenticated:
        return []
    return list(get_authentication_records(request, request.user))
