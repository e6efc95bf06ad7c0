"""Forms of django-allauth with what this site adds to them."""

from typing import Any, cast

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.accounts.models.attempts import PasswordLinkRequest
from integrations.notifications.link_emails import link_tokens
from integrations.pages.access import without_searches

LABELS = {"oldpassword": "Present password", "password1": "New password", "password2": "New password again"}
RULES = (
    "At least 12 characters, and no common password: some unrelated words, or what a password manager makes."
)


class Worded(forms.Form):
    """The words of this site for fields of allauth's forms."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = LABELS.get(name, field.label)
            if name == "password1":
                field.help_text = RULES


class LoginForm(Worded, allauth_forms.LoginForm):
    """A name or an address, and the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = forms.TextInput(attrs={"autocomplete": "username", "autofocus": True})
        self.fields["login"] = forms.CharField(
            label="User name or e-mail address", max_length=254, widget=widget
        )
        self.fields["password"].help_text = ""
        self.order_fields(["login", "password"])

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """Sign in. What was searched for on the page that comes next isn't kept while a second factor is awaited."""
        return cast(HttpResponse, super().login(request, redirect_url and without_searches(redirect_url)))


class ForgottenPasswordForm(forms.Form):
    """The address to send a link to. Nothing here looks whether an account has it: a worker does, later."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The one to which your invitation came.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def save(self, request: HttpRequest) -> None:
        """Store the request, to be answered by a worker."""
        PasswordLinkRequest.objects.create(address=self.cleaned_data["email"])


class FirstPasswordForm(Worded, allauth_forms.SetPasswordForm):
    """The password of an account that is made."""


class ProofForm(Worded, allauth_forms.ReauthenticateForm):
    """The password of somebody who is signed in."""


class ChoosePasswordForm(Worded, allauth_forms.ResetPasswordKeyForm):
    """A new password through a link, which works once."""

    def save(self) -> None:
        """Store the password. Raises ImmediateHttpResponse when the link was used since the page was asked for."""
        with transaction.atomic():
            stored = User.objects.select_for_update(of=("self",)).get(pk=self.user.pk)
            if not link_tokens.check_token(stored, self.temp_key):
                raise ImmediateHttpResponse(
                    redirect("account_reset_password_from_key", uidb36="0", key="used")
                )
            super().save()


class LinkForm(allauth_forms.UserTokenForm):
    """What a link holds, checked by this site's tokens."""

    token_generator = link_tokens


class ChangePasswordForm(Worded, allauth_forms.ChangePasswordForm):
    """The present password, limited as at a sign-in, and a new one twice."""

    def clean_oldpassword(self) -> str:
        """Return the present password. Raises ValidationError if it is wrong."""
        password = str(self.cleaned_data["oldpassword"])
        adapter = get_adapter()
        if not adapter.reauthenticate(cast(User, self.user), password):
            raise adapter.validation_error("enter_current_password")
        return password
