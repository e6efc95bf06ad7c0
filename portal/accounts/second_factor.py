"""The second factor: the page that asks for it between the password and the session, and those where it is set up."""

import json
from textwrap import wrap
from typing import Any, cast
from urllib.parse import urlencode

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.forms import BaseForm, Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.views.generic import TemplateView

from integrations.accounts.acts.fresh_proof import (
    FreshProofMixin,
    end_set_up,
    is_strong,
    mark_strong,
    mark_weak,
)
from integrations.accounts.acts.second_factors import (
    add_passkey,
    confirm_app,
    make_recovery_codes,
    record_right_factor,
    record_wrong_factor,
    remove_app,
    remove_passkey,
    take_factor_attempt,
    use_app_code,
    use_recovery_code,
)
from integrations.accounts.models.second_factors import (
    AuthenticatorApp,
    Passkey,
    RecoveryCode,
    has_second_factor,
)
from integrations.admin.access import waits_for_second_factor
from integrations.core.vocabulary import ActionNotAllowed, SecondFactor
from integrations.pages.access import memberships_of, own_page, second_factor_address
from integrations.pages.views import ActView, OperationView, shows_secret
from integrations.store import database
from portal.accounts import completion, passkeys
from portal.accounts.completion import METHOD_SESSION_KEY, PendingSignIn, SignInMethod, begin_session
from portal.accounts.throttle import make_wait
from portal.client_address import client_network
from portal.middleware import Middleware

WRONG_CODE = (
    "That code is wrong, or it was used already. Wait for the next one. If that is wrong too, check your phone's "
    "clock."
)
WRONG_RECOVERY_CODE = "That isn't one of your unused recovery codes."
WRONG_PASSKEY = "The passkey didn't answer as expected. Try again."


@method_decorator(login_not_required, name="dispatch")
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
    if not request.user.is_authenticated or is_strong(request):
        return None
    if not has_second_factor(request.user):
        return None
    method = SignInMethod(request.session.get(METHOD_SESSION_KEY, SignInMethod.PASSWORD))
    next_url = own_page(request, request.GET.get("next", ""), "/")
    return PendingSignIn(request.user, method, next_url)


class AdminSecondFactorMiddleware(Middleware):
    """Sends staff without a second factor to the page that asks for it, or where they set one up."""

    def process_view(self, request: HttpRequest, view: object, args: Any, kwargs: Any) -> HttpResponse | None:
        """Redirect from the admin's pages."""
        match = request.resolver_match
        is_admin = match is not None and match.app_names[:1] == ["admin"] and match.url_name != "logout"
        if not is_admin or not (request.user.is_authenticated and request.user.is_staff):
            return None
        return redirect(second_factor_address(request)) if waits_for_second_factor(request) else None


#: Where a person with a new password is led: somebody who knew the former one may have added a factor.
REVIEW_FACTORS = "/account/second-factor/?review=1"
#: So few recovery codes are left that the page suggests to make new ones.
FEW_CODES = 3


class SecondFactorOverviewView(TemplateView):
    """Show the person's authenticator app, passkeys and how many recovery codes are left."""

    template_name = "accounts/second_factor_overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = cast(User, self.request.user)
        codes_left = RecoveryCode.objects.filter(user=user, used_at=None).count()
        requiring = memberships_of(self.request).filter(organization__requires_second_factor=True)
        return super().get_context_data(
            app=AuthenticatorApp.objects.confirmed().filter(user=user).defer("secret").first(),
            passkeys=Passkey.objects.filter(user=user),
            are_passkeys_possible=passkeys.are_possible(),
            has_factor=has_second_factor(user),
            codes_left=codes_left,
            are_few_codes=codes_left <= FEW_CODES,
            requiring=[membership.organization for membership in requiring],
            is_operator=user.is_superuser and settings.OPERATORS_NEED_SECOND_FACTOR,
            is_review="review" in self.request.GET,
            next=own_page(self.request, self.request.GET.get("next", ""), ""),
            **kwargs,
        )


NOT_THE_CODE_SHOWN = (
    "That isn't the code that the app shows for this secret. Check your phone's clock, wait for the next code, and "
    "type it again."
)
OVERVIEW = "account-second-factor"


@shows_secret
class AddAppView(FreshProofMixin, TemplateView):
    """Show a new secret, and make it the person's second factor once a code proves that the app has it.

    The secret is on the page alone; the answer to a wrong code asks for the next one.
    """

    template_name = "accounts/add_app.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show a new secret: one that was on a screen earlier and never confirmed is no longer offered."""
        app = AuthenticatorApp.begin_set_up(cast(User, request.user), database.now())
        # an SVG element needs no other file; dark on white in every colour scheme
        svg = segno.make(app.address, error="m").svg_inline(scale=5, dark="#000", light="#fff")
        qr_code = mark_safe(svg)  # noqa: S308
        return super().get(request, *args, qr_code=qr_code, secret=" ".join(wrap(app.secret, 4)), **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Confirm the app by its code, and show the recovery codes that were made with it.

        Wrong codes are counted with those at sign-in: who shares the session and hasn't seen the secret must not guess.
        """
        user, address, now = cast(User, request.user), client_network(request), database.now()
        if refusal := take_factor_attempt(user, address):
            return make_wait(self, refusal)
        codes = confirm_app(user, request.POST.get("code", ""), now)
        if codes is None:
            record_wrong_factor(user, SecondFactor.AUTHENTICATOR_APP, now)
            return self.render_to_response(self.get_context_data(error=NOT_THE_CODE_SHOWN))
        record_right_factor(user, address)
        return after_adding(request, SecondFactor.AUTHENTICATOR_APP, codes)


class RemoveAppView(FreshProofMixin, ActView):
    """Remove the person's authenticator app."""

    page_of_form = following_page = OVERVIEW

    def operate(self, form: Form) -> str | None:
        is_removed = remove_app(cast(User, self.request.user))
        note_removal(self.request)
        return "The authenticator app was removed. Delete its entry in the app too." if is_removed else None


@shows_secret
class MakeRecoveryCodesView(FreshProofMixin, ActView):
    """Make new recovery codes and show them, once."""

    page_of_form = following_page = OVERVIEW

    def operate(self, form: Form) -> HttpResponse:
        """Make them; the answer is the only place where they are shown."""
        codes = make_recovery_codes(cast(User, self.request.user))
        message = "These are your new recovery codes. The earlier ones no longer work."
        return render(self.request, "accounts/recovery_codes.html", {"codes": codes, "message": message})


def after_adding(request: HttpRequest, factor: SecondFactor, codes: list[str]) -> HttpResponse:
    """Count the factor, just proven, for this session; return the page with the recovery codes, or the overview."""
    request.session.cycle_key()
    end_set_up(request)
    mark_strong(request, factor)
    message = f"Your {factor.label} is set up. It is asked for when you sign in."
    if not codes:
        messages.success(request, message)
        return redirect(OVERVIEW)
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "message": message})


def note_removal(request: HttpRequest) -> None:
    """Count the session of a person who has no factor any more as begun without one."""
    if not has_second_factor(cast(User, request.user)):
        mark_weak(request)


NOT_MADE = "No passkey was made: the browser's answer wasn't valid. Try again."
LONGEST_NAME = 60
INCOMPLETE = f"Give the passkey a name of at most {LONGEST_NAME} characters, and try again."


class PasskeyForm(forms.Form):
    """A passkey's name, and the browser's answer that the script fills in."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        label="Name",
        help_text="By which you know it again, such as “work laptop” or “blue key”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    passkey = forms.CharField(required=False, max_length=passkeys.LONGEST_ANSWER)


@shows_secret
class AddPasskeyView(FreshProofMixin, OperationView):
    """Ask the browser to make a passkey, and store it.

    Its challenge is on the page alone: a form that can't be taken leads back there.
    """

    template_name = "accounts/add_passkey.html"
    form_class = PasskeyForm

    def get_initial(self) -> dict[str, Any]:
        """Return the name that was given with an answer that couldn't be taken."""
        return {"name": self.request.GET.get("name", "")[:LONGEST_NAME]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        are_possible = passkeys.are_possible()
        user = cast(User, self.request.user)
        options = json.dumps(passkeys.registration_options(self.request, user)) if are_possible else ""
        return super().get_context_data(are_possible=are_possible, options=options, **kwargs)

    def operate(self, form: Form) -> HttpResponse:
        """Store the passkey, and show the recovery codes that were made with it."""
        user = cast(User, self.request.user)
        passkey = passkeys.registered(
            self.request, user, name=form.cleaned_data["name"], answer=form.cleaned_data["passkey"]
        )
        if passkey is None:
            raise ActionNotAllowed(NOT_MADE)
        return after_adding(self.request, SecondFactor.PASSKEY, add_passkey(passkey))

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Lead back to the page, which has another challenge, and say why."""
        messages.error(self.request, str(next(iter(form.non_field_errors()), INCOMPLETE)))
        name = self.request.POST.get("name", "")[:LONGEST_NAME]
        return redirect(f"{self.request.path}?{urlencode({'name': name})}")


class RemovePasskeyView(FreshProofMixin, ActView):
    """Remove one of the person's passkeys."""

    page_of_form = following_page = OVERVIEW

    def operate(self, form: Form) -> str | None:
        own = Passkey.objects.select_related("user").filter(user=self.request.user.pk)
        passkey = get_object_or_404(own, pk=self.kwargs["pk"])
        is_removed = remove_passkey(passkey)
        note_removal(self.request)
        return (
            f"The passkey “{passkey.name}” was removed. Delete it on your device too." if is_removed else None
        )
