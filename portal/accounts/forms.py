"""The form that requests a link to choose a password."""

from django import forms
from django.contrib.auth.forms import PasswordResetForm


class ForgottenPasswordForm(PasswordResetForm):
    """The address to send a password link to. Nothing here looks whether an account has it."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The one to which your invitation came.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
