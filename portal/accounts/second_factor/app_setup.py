"""Adding an authenticator app by its QR code, and removing it."""

from typing import Any, cast

import segno
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView, View

from integrations.models import AuthenticatorApp, db_clock
from integrations.recent_sign_in import RecentSignInMixin, end_set_up
from integrations.session_strength import mark_strong, mark_weak
from integrations.vocabulary import SecondFactor
from integrations.workflow.operations import second_factor_attempts
from integrations.workflow.operations.second_factor import confirm_app, has_second_factor, remove_app
from portal.accounts.throttle import make_wait
from portal.client_address import client_network

WRONG_CODE = (
    "That isn't the code that the app shows for this secret. See that your phone's clock is right, wait for the next "
    "code, and type it again."
)
OVERVIEW = "account-second-factor"


@method_decorator(never_cache, name="dispatch")
class AddAppView(RecentSignInMixin, TemplateView):
    """Show a new secret, and make it the person's second factor once a code proves that the app has it.

    The secret is on the page alone; the answer to a wrong code asks for the next one.
    """

    template_name = "accounts/add_app.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show a new secret: one that was on a screen earlier and never confirmed is no longer offered."""
        app = AuthenticatorApp.begin_set_up(cast(User, request.user), db_clock.now())
        groups = [app.secret[start : start + 4] for start in range(0, len(app.secret), 4)]
        return super().get(request, *args, qr_code=_qr_code(app.address), secret=" ".join(groups), **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Confirm the app by its code, and show the recovery codes that were made with it.

        Wrong codes are counted with those at sign-in: who shares the session and hasn't seen the secret must not guess.
        """
        user, address, now = cast(User, request.user), client_network(request), db_clock.now()
        if refusal := second_factor_attempts.begin(user, address):
            return make_wait(self, refusal)
        added = confirm_app(user, "".join(request.POST.get("code", "")[:20].split()), now)
        if added is None:
            second_factor_attempts.record_failure(user, SecondFactor.AUTHENTICATOR_APP, now)
            return self.render_to_response(self.get_context_data(error=WRONG_CODE))
        second_factor_attempts.end(user, address)
        return after_adding(request, SecondFactor.AUTHENTICATOR_APP, added.recovery_codes)


class RemoveAppView(RecentSignInMixin, View):
    """Remove the person's authenticator app."""

    http_method_names = ["post"]
    page_of_form = OVERVIEW

    def post(self, request: HttpRequest) -> HttpResponse:
        """Remove it."""
        if remove_app(cast(User, request.user)):
            messages.success(request, "The authenticator app was removed. Delete its entry in the app too.")
        return after_removing(request)


def after_adding(request: HttpRequest, factor: SecondFactor, recovery_codes: list[str]) -> HttpResponse:
    """Count the factor, just proven, for this session; return the page with the recovery codes, or the overview."""
    request.session.cycle_key()
    end_set_up(request)
    mark_strong(request, factor)
    message = f"Your {factor.label} is set up. It is asked for when you sign in."
    if not recovery_codes:
        messages.success(request, message)
        return redirect(OVERVIEW)
    return render(request, "accounts/recovery_codes.html", {"codes": recovery_codes, "message": message})


def after_removing(request: HttpRequest) -> HttpResponse:
    """Return the redirect to the overview. Without a factor the session counts as begun without one."""
    if not has_second_factor(cast(User, request.user)):
        mark_weak(request)
    return redirect(OVERVIEW)


def _qr_code(text: str) -> SafeString:
    """Return a QR code as an SVG element, which needs no other file; dark on white in every colour scheme."""
    return mark_safe(segno.make(text, error="m").svg_inline(scale=5, dark="#000", light="#fff"))  # noqa: S308
