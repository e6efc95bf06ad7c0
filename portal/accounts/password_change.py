"""Change of password by its person, under /account/password/."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy

from integrations.accounts.acts.accounts import follow_new_password
from integrations.accounts.acts.second_factor import has_second_factor
from integrations.accounts.models.sessions import TooMany
from integrations.audit.models.entry import AuditAction
from integrations.queue import notify
from portal.accounts.completion import record_failure, record_refusal, with_address
from portal.accounts.second_factor.set_up import REVIEW_FACTORS
from portal.accounts.sessions import row_key
from portal.accounts.throttle import begin_attempt, too_many_in_words


class OwnPasswordForm(PasswordChangeForm):
    """The present password, and a new one twice. The present one is limited as at a sign-in."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.fields["old_password"].label = "Present password"

    def clean_old_password(self) -> str:
        """Return the present password. Raises ValidationError if it is wrong, or too many were tried."""
        attempt = begin_attempt(self.request, self.user.get_username())
        if isinstance(attempt, TooMany):
            record_refusal(self.request, self.user.get_username())
            raise ValidationError(too_many_in_words(attempt))
        if not self.user.check_password(self.cleaned_data["old_password"]):
            record_failure(self.request, self.user.get_username(), attempt)
            raise ValidationError("That isn't your present password.")
        attempt.succeed()
        return str(self.cleaned_data["old_password"])


class OwnPasswordView(PasswordChangeView):
    """Let a signed-in person choose another password; people without one see why they have none."""

    form_class = OwnPasswordForm
    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Store the new password; a person without one sees why there is nothing to change."""
        if not self._person().has_usable_password():
            return self.get(request, *args, **kwargs)
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Add the request, for the limits of attempts."""
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Store the new password and end the person's other sessions."""
        with transaction.atomic():
            response = super().form_valid(form)
            follow_new_password(
                self._person(),
                AuditAction.CHANGE_PASSWORD,
                with_address(self.request, {}),
                keep=row_key(self.request),
            )
        notify.notify_workers()
        messages.success(self.request, "Your password was changed. Your other sessions have ended.")
        return redirect(REVIEW_FACTORS) if has_second_factor(self._person()) else response

    def _person(self) -> User:
        return cast(User, self.request.user)
