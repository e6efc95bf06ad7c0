"""The form that requests a link to choose a password."""

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordResetForm

from integrations.queue import notify
from integrations.workflow.email import password_reset


class ForgottenPasswordForm(PasswordResetForm):
    """The address to send a password link to. Never reveals whether an account has that address."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The one to which your invitation came.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def save(self, *args: Any, **options: Any) -> None:
        """Enqueue the e-mail. The worker creates the link when it sends the e-mail, and retries on failure."""
        password_reset.send_links(self.cleaned_data["email"])
        notify.notify_workers()
