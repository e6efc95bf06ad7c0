"""The pages at which a person sets up, sees and removes their second factors, and makes recovery codes."""

import json
from textwrap import wrap
from typing import Any, cast
from urllib.parse import urlencode

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.forms import BaseForm, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from integrations.accounts.acts.accounts import (
    add_passkey,
    confirm_app,
    make_recovery_codes,
    record_right_factor,
    record_wrong_factor,
    remove_app,
    remove_passkey,
    take_factor_attempt,
)
from integrations.accounts.acts.fresh_proof import FreshProofMixin, end_set_up, mark_strong, mark_weak
from integrations.accounts.models.second_factors import (
    AuthenticatorApp,
    Passkey,
    RecoveryCode,
    has_second_factor,
)
from integrations.core.vocabulary import ActionNotAllowed, SecondFactor
from integrations.pages.access import memberships_of, own_page
from integrations.pages.views import ActView, OperationView
from integrations.store import database
from portal.accounts.second_factor import passkeys
from portal.accounts.throttle import client_network, make_wait

#: Where a person with a new password is led: somebody who knew the former one may have added a factor.
REVIEW_FACTORS = "/account/second-factor/?review=1"
#: So few recovery codes are left that the page suggests to make new ones.
FEW_CODES = 3


@method_decorator(never_cache, name="dispatch")
class SecondFactorOverviewView(TemplateView):
    """Show the person's authenticator app, passkeys and how many recovery codes are left."""

    template_name = "accounts/second_factor_overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the person has, and the organizations that require a second factor."""
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


WRONG_CODE = (
    "That isn't the code that the app shows for this secret. See that your phone's clock is right, wait for the next "
    "code, and type it again."
)
OVERVIEW = "account-second-factor"


@method_decorator(never_cache, name="dispatch")
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
        added = confirm_app(user, request.POST.get("code", ""), now)
        if added is None:
            record_wrong_factor(user, SecondFactor.AUTHENTICATOR_APP, now)
            return self.render_to_response(self.get_context_data(error=WRONG_CODE))
        record_right_factor(user, address)
        return after_adding(request, SecondFactor.AUTHENTICATOR_APP, added)


class RemoveAppView(FreshProofMixin, ActView):
    """Remove the person's authenticator app."""

    page_of_form = following_page = OVERVIEW

    def operate(self, form: Form) -> str | None:
        """Remove it."""
        is_removed = remove_app(cast(User, self.request.user))
        note_removal(self.request)
        return "The authenticator app was removed. Delete its entry in the app too." if is_removed else None


@method_decorator(never_cache, name="dispatch")
class MakeRecoveryCodesView(FreshProofMixin, ActView):
    """Make new recovery codes and show them, once."""

    page_of_form = following_page = OVERVIEW

    def operate(self, form: Form) -> HttpResponse:
        """Make them; the answer is the only place where they are shown."""
        codes = make_recovery_codes(cast(User, self.request.user))
        message = "These are your new recovery codes. The earlier ones no longer work."
        return render(self.request, "accounts/recovery_codes.html", {"codes": codes, "message": message})


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


def note_removal(request: HttpRequest) -> None:
    """Count the session of a person who has no factor any more as begun without one."""
    if not has_second_factor(cast(User, request.user)):
        mark_weak(request)


NOT_MADE = "No passkey was made: the browser's answer didn't fit. Try again."
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


@method_decorator(never_cache, name="dispatch")
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
        """Add what the browser needs."""
        are_possible = passkeys.are_possible()
        user = cast(User, self.request.user)
        options = json.dumps(passkeys.registration_options(self.request, user)) if are_possible else ""
        return super().get_context_data(are_possible=are_possible, options=options, **kwargs)

    def operate(self, form: Form) -> HttpResponse:
        """Store the passkey, and show the recovery codes that were made with it."""
        user = cast(User, self.request.user)
        passkey = passkeys.registered(self.request, user, **form.cleaned_data)
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
        """Remove it; 404 unless it is the person's."""
        own = Passkey.objects.select_related("user").filter(user=self.request.user.pk)
        passkey = get_object_or_404(own, pk=self.kwargs["pk"])
        is_removed = remove_passkey(passkey)
        note_removal(self.request)
        return (
            f"The passkey “{passkey.name}” was removed. Delete it on your device too." if is_removed else None
        )
