"""A person's own account: its page, the proof that it asks for before a change, and another password."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView

from integrations.accounts.acts.accounts import follow_new_password
from integrations.accounts.acts.fresh_proof import FRESH, note_proof
from integrations.accounts.models.second_factors import has_second_factor
from integrations.accounts.models.sessions import TooMany
from integrations.audit.models.entry import AuditAction
from integrations.members.models.membership import may_use_password
from integrations.pages.access import own_page
from integrations.queue import notify
from portal.accounts.completion import record_failure, record_refusal, with_address
from portal.accounts.password_backend import refusal_of
from portal.accounts.second_factor.set_up import REVIEW_FACTORS
from portal.accounts.sessions import row_key
from portal.accounts.single_sign_on.backend import SignInFailed
from portal.accounts.single_sign_on.join import explain
from portal.accounts.single_sign_on.views import prove_anew, provider_of_session
from portal.accounts.throttle import begin_at_provider, begin_attempt, too_many, too_many_in_words


@dataclass(frozen=True)
class AccountPage:
    """One page about the person's account: its URL name, its title, its icon, and what it is for."""

    name: str
    title: str
    icon: str
    purpose: str


#: The pages that /account/ lists, in this order.
ACCOUNT_PAGES: tuple[AccountPage, ...] = (
    AccountPage(
        "memberships", "Organizations", "people", "Accept or decline an invitation, or leave an organization"
    ),
    AccountPage("password", "Your password", "key", "Choose another one"),
    AccountPage("sessions", "Where you are signed in", "list", "See and end your sessions"),
    AccountPage(
        "account-second-factor",
        "Second factor",
        "shield",
        "An authenticator app or passkeys, and recovery codes",
    ),
)


class AccountView(TemplateView):
    """List the pages about the signed-in person's account."""

    template_name = "accounts/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the pages."""
        return super().get_context_data(pages=ACCOUNT_PAGES, **kwargs)


WRONG_PASSWORD = "That isn't your password."


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class ConfirmPersonView(TemplateView):
    """Ask for the password, or for a sign-in at the provider that began the session; go on to the page in `next`."""

    template_name = "accounts/confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add where to go on, for how many minutes the answer counts, and the ways."""
        user = cast(User, self.request.user)
        return super().get_context_data(
            next=self._next(),
            minutes=int(FRESH.total_seconds()) // 60,
            provider=provider_of_session(self.request),
            has_password=user.has_usable_password() and may_use_password(user),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Check the password through the same backends as at sign-in, which limit attempts."""
        if "provider" in request.POST:
            return self._ask_provider(request)
        user = cast(User, request.user)
        found = authenticate(request, username=user.get_username(), password=request.POST.get("password", ""))
        if found is None or found.pk != user.pk:
            refusal = refusal_of(request)
            error = too_many_in_words(refusal) if refusal else WRONG_PASSWORD
            return self.render_to_response(self.get_context_data(error=error))
        note_proof(request)
        return redirect(self._next())

    def _ask_provider(self, request: HttpRequest) -> HttpResponse:
        if refusal := begin_at_provider(request):
            return too_many(request, refusal, what="sign-ins by single sign-on were begun")
        provider = provider_of_session(request)
        if provider is None:
            return self.get(request)
        try:
            return prove_anew(request, provider, self._next())
        except SignInFailed as failed:
            return self.render_to_response(self.get_context_data(error=explain(failed.code)))

    def _next(self) -> str:
        return own_page(self.request, self.request.GET.get("next", ""), "/account/")


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
