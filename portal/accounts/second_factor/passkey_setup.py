"""Signing in with a passkey alone: it proves possession, and its device has verified the person."""

import math
from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View

from integrations.core.vocabulary import SecondFactor
from integrations.pages.access import return_url
from integrations.store import database
from portal.accounts.completion import SignInMethod, complete_sign_in
from portal.accounts.second_factor import passkey_ceremonies
from portal.accounts.throttle import begin_with_passkey, succeed_with_passkey

NOT_SIGNED_IN = (
    "That passkey doesn't open an account here, or the question was too old. Try again, or give your user name and "
    "password."
)


QUESTION_LASTS = timedelta(minutes=10)


@method_decorator([login_not_required, never_cache], name="dispatch")
class PasskeyOptionsView(View):
    """What the browser needs to sign in with a passkey. Asked for by POST, so that only this site's pages can."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Return the options as JSON, with a challenge for this session; 429 when there were too many.

        A session in which nobody is signed in is stored for the challenge alone, and no longer than it is of use.
        """
        if refusal := begin_with_passkey(request):
            return JsonResponse(
                {"wait": refusal.in_words}, status=429, headers={"Retry-After": math.ceil(refusal.seconds)}
            )
        if not request.user.is_authenticated:
            request.session.set_expiry(QUESTION_LASTS)
        return JsonResponse(passkey_ceremonies.signing_options(request, None))


@method_decorator([login_not_required, never_cache], name="dispatch")
class PasskeySignInView(View):
    """Sign a person in by a passkey."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Begin the session of the passkey's person, or return to the sign-in page and say why not."""
        answer = request.POST.get("passkey", "")
        passkey = passkey_ceremonies.signed_by(request, None, answer, database.now())
        if passkey is None or not passkey.user.is_active:
            messages.error(request, NOT_SIGNED_IN)
            return redirect("login")
        succeed_with_passkey(request)
        next_url = return_url(request, "/")
        return complete_sign_in(
            request, passkey.user, SignInMethod.PASSKEY, next_url, second_factor=SecondFactor.PASSKEY
        )
