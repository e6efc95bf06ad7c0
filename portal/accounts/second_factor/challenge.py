"""The page between the password and the session: it asks for the second factor."""

import json
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from integrations.accounts.acts.accounts import (
    record_right_factor,
    record_wrong_factor,
    take_factor_attempt,
    use_app_code,
    use_recovery_code,
)
from integrations.accounts.acts.fresh_proof import has_given_own_factor
from integrations.accounts.models.second_factors import AuthenticatorApp, Passkey, has_second_factor
from integrations.admin.access import waits_for_second_factor
from integrations.core.vocabulary import SecondFactor
from integrations.members.models.membership import PROVIDER_SESSION_KEY
from integrations.pages.access import own_page, second_factor_address
from integrations.store import database
from portal.accounts import completion
from portal.accounts.completion import METHOD_SESSION_KEY, PendingSignIn, SignInMethod, begin_session
from portal.accounts.second_factor import passkeys
from portal.accounts.throttle import client_network, make_wait
from portal.middleware import Middleware

WRONG_CODE = (
    "That code isn't right, or it was used already. Wait for the next one, and see that your phone's clock is right; "
    "a wrong time makes wrong codes."
)
WRONG_RECOVERY_CODE = "That isn't one of your unused recovery codes."
WRONG_PASSKEY = "The passkey didn't answer as expected. Try again."


@method_decorator([login_not_required, never_cache], name="dispatch")
class SecondFactorView(TemplateView):
    """Ask for the second factor, and begin the session of a person who gives it.

    A signed-in person who hasn't given one comes here when an organization requires it.
    """

    template_name = "accounts/second_factor.html"
    pending: PendingSignIn

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the sign-in that waits; without one there is nothing to ask for."""
        pending = completion.load(request) or _of_signed_in_person(request)
        if pending is None:
            return redirect("overview" if request.user.is_authenticated else "login")
        self.pending = pending
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the ways that the person has."""
        user = self.pending.user
        has_passkey = passkeys.are_possible() and Passkey.objects.filter(user=user).exists()
        return super().get_context_data(
            person=user,
            has_app=AuthenticatorApp.objects.confirmed().filter(user=user).exists(),
            has_passkey=has_passkey,
            passkey_options=json.dumps(passkeys.signing_options(self.request, user)) if has_passkey else "",
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Begin the session when the code or the passkey is right; show the page again otherwise."""
        if request.POST.get("act") == "cancel":
            completion.end(request)
            return redirect("login")
        if "passkey" in request.POST:
            return self._take_passkey(request.POST["passkey"])
        return self._take_code()

    def _take_passkey(self, answer: str) -> HttpResponse:
        """Nobody can guess a passkey's answer, so it is never made to wait: its person isn't locked out by guesses."""
        now = database.now()
        if passkeys.signed_by(self.request, self.pending.user, answer, now) is None:
            return self._refuse(WRONG_PASSKEY)
        return begin_session(self.request, self.pending, SecondFactor.PASSKEY)

    def _take_code(self) -> HttpResponse:
        now, user, address = database.now(), self.pending.user, client_network(self.request)
        if refusal := take_factor_attempt(user, address):
            return make_wait(self, refusal)
        if "recovery_code" in self.request.POST:
            factor, why = SecondFactor.RECOVERY_CODE, WRONG_RECOVERY_CODE
            is_right = use_recovery_code(user, self.request.POST["recovery_code"], now)
        else:
            factor, why = SecondFactor.AUTHENTICATOR_APP, WRONG_CODE
            is_right = use_app_code(user, self.request.POST.get("code", ""), now)
        if not is_right:
            record_wrong_factor(user, factor, now)
            return self._refuse(why)
        record_right_factor(user, address)
        return begin_session(self.request, self.pending, factor)

    def _refuse(self, error: str) -> HttpResponse:
        return self.render_to_response(self.get_context_data(error=error))


def _of_signed_in_person(request: HttpRequest) -> PendingSignIn | None:
    """Return a sign-in for the signed-in person, whose session goes on, to give the second factor now."""
    if not request.user.is_authenticated or has_given_own_factor(request):
        return None
    if not has_second_factor(request.user):
        return None
    method = SignInMethod(request.session.get(METHOD_SESSION_KEY, SignInMethod.PASSWORD))
    next_url = own_page(request, request.GET.get("next", ""), "/")
    return PendingSignIn(request.user, method, next_url, request.session.get(PROVIDER_SESSION_KEY))


# The middleware that asks for a second factor before the admin, where an organization there requires one.


class AdminSecondFactorMiddleware(Middleware):
    """Sends staff without a second factor to the page that asks for it, or where they set one up."""

    def process_view(self, request: HttpRequest, view: object, args: Any, kwargs: Any) -> HttpResponse | None:
        """Redirect from the admin's pages."""
        match = request.resolver_match
        is_admin = match is not None and match.app_names[:1] == ["admin"] and match.url_name != "logout"
        if not is_admin or not (request.user.is_authenticated and request.user.is_staff):
            return None
        return redirect(second_factor_address(request)) if waits_for_second_factor(request) else None
