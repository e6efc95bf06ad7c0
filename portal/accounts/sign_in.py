"""Signing in, choosing a password through a link, and switching to another organization."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import (
    INTERNAL_RESET_SESSION_TOKEN,
    LoginView,
    LogoutView,
    PasswordResetConfirmView,
    PasswordResetView,
)
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode

from integrations.accounts.acts.accounts import follow_new_password, record_for_person
from integrations.accounts.models.second_factors import has_second_factor
from integrations.accounts.models.sessions import TooMany
from integrations.audit.models.entry import AuditAction
from integrations.members.acts.invitations import work_in
from integrations.notifications.links import reset_tokens
from integrations.pages.access import ORGANIZATION_SESSION_KEY, memberships_of, own_page
from integrations.pages.views import ActView
from integrations.queue import notify
from portal.accounts import passkeys
from portal.accounts.completion import SignInMethod, complete_sign_in, with_address
from portal.accounts.password_backend import refusal_of
from portal.accounts.second_factor import REVIEW_FACTORS
from portal.accounts.throttle import request_link, too_many


class SignInView(LoginView):
    """Sign a person in by user name and password."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(are_passkeys_possible=passkeys.are_possible(), **kwargs)

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Return the page that the person came for if it is one of this site, else nothing."""
        return own_page(self.request, super().get_redirect_url(request), "")

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        return complete_sign_in(self.request, user, SignInMethod.PASSWORD, self.get_success_url())

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show what is wrong, or 429 with Retry-After when too many passwords were tried."""
        refusal = refusal_of(self.request)
        return super().form_invalid(form) if refusal is None else too_many(self.request, refusal)


class SignOutView(LogoutView):
    """Sign the person out."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            record_for_person(request.user, AuditAction.SIGN_OUT, with_address(request, {}))
        return super().post(request, *args, **kwargs)


@login_not_required
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Send people from the admin's sign-in page to the portal's, so that there is only one.

    Raises PermissionDenied for a signed-in person who may not open the admin.
    """
    if request.user.is_authenticated:
        raise PermissionDenied("The admin is for staff. Ask the portal's operator for access.")
    query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
    return redirect(f"{reverse('login')}?{query}")


class ForgottenPasswordForm(PasswordResetForm):
    """The address to send a password link to. Nothing here looks whether an account has it."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The one to which your invitation came.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class ForgottenPasswordView(PasswordResetView):
    """Have a link sent to choose a password. A worker looks whether a member has the address; the answer can't tell."""

    form_class = ForgottenPasswordForm

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        """Store the request; 429 when too many came from the client's network."""
        outcome = request_link(self.request, form.cleaned_data["email"])
        if isinstance(outcome, TooMany):
            return too_many(self.request, outcome, what="links to choose a password were asked for")
        return redirect(self.get_success_url())


class ChoosePasswordView(PasswordResetConfirmView):
    """Let a person choose a password through a link that works once, and sign them in."""

    user: User

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        """Store the password and complete the sign-in that the link has proven."""
        with transaction.atomic():
            user = form.save()
            follow_new_password(user, AuditAction.RESET_PASSWORD, with_address(self.request, {}))
        notify.notify_workers()
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        next_url = REVIEW_FACTORS if has_second_factor(user) else reverse("overview")
        return complete_sign_in(self.request, user, SignInMethod.PASSWORD_LINK, next_url)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the user, so that the person sees the user name to sign in with."""
        return super().get_context_data(invited=self.user if self.validlink else None, **kwargs)


class ResetPasswordView(ChoosePasswordView):
    """The same through a link that was asked for at the sign-in page, and works for an hour."""

    token_generator = reset_tokens


class SwitchOrganizationView(ActView):
    """Switch to another of the person's organizations."""

    following_page = "overview"

    def operate(self, form: Form) -> HttpResponse:
        """Store the choice, also for the next sign-in; 404 unless the person is a member there."""
        membership = get_object_or_404(
            memberships_of(self.request), organization__slug=self.request.POST.get("organization", "")
        )
        self.request.session[ORGANIZATION_SESSION_KEY] = membership.organization.slug
        work_in(membership.user, membership.organization)
        return redirect(self.get_success_url())
