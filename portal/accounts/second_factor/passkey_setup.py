"""Adding a passkey under a name, and removing it."""

import json
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView, View

from integrations.models import Passkey
from integrations.recent_sign_in import RecentSignInMixin
from integrations.vocabulary import SecondFactor
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.second_factor import add_passkey, remove_passkey
from portal.accounts.second_factor import passkey_ceremonies
from portal.accounts.second_factor.app_setup import OVERVIEW, after_adding, after_removing

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
    passkey = forms.CharField(required=False, max_length=passkey_ceremonies.LONGEST_ANSWER)


@method_decorator(never_cache, name="dispatch")
class AddPasskeyView(RecentSignInMixin, TemplateView):
    """Ask the browser to make a passkey, and store it.

    Its challenge is on the page alone: a form that can't be taken leads back there.
    """

    template_name = "accounts/add_passkey.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form, with what the browser needs."""
        are_possible = passkey_ceremonies.are_possible()
        user = cast(User, request.user)
        options = json.dumps(passkey_ceremonies.registration_options(request, user)) if are_possible else ""
        form = PasskeyForm(initial={"name": request.GET.get("name", "")[:LONGEST_NAME]})
        return super().get(request, *args, are_possible=are_possible, options=options, form=form, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the passkey, and show the recovery codes that were made with it."""
        form = PasskeyForm(request.POST)
        if not form.is_valid():
            return self._refuse(INCOMPLETE)
        user = cast(User, request.user)
        name, answer = form.cleaned_data["name"], form.cleaned_data["passkey"]
        passkey = passkey_ceremonies.registered(request, user, name, answer)
        if passkey is None:
            return self._refuse(NOT_MADE)
        try:
            added = add_passkey(passkey)
        except ActionNotAllowed as error:
            return self._refuse(str(error))
        return after_adding(request, SecondFactor.PASSKEY, added.recovery_codes)

    def _refuse(self, why: str) -> HttpResponse:
        messages.error(self.request, why)
        name = self.request.POST.get("name", "")[:LONGEST_NAME]
        return redirect(f"{self.request.path}?{urlencode({'name': name})}")


class RemovePasskeyView(RecentSignInMixin, View):
    """Remove one of the person's passkeys."""

    http_method_names = ["post"]
    page_of_form = OVERVIEW

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove it; 404 unless it is the person's."""
        passkey = get_object_or_404(Passkey.objects.select_related("user"), pk=pk, user=request.user.pk)
        if remove_passkey(passkey):
            messages.success(
                request, f"The passkey “{passkey.name}” was removed. Delete it on your device too."
            )
        return after_removing(request)
