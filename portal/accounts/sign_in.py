"""Signing in, choosing a password through a link, and switching to another organization."""

import time
from typing import Any

from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.views import LoginView, PasswordResetConfirmView, PasswordResetView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.views.generic import View

from integrations.pages.access import ORGANIZATION_SESSION_KEY, memberships_of, return_url
from portal.accounts.forms import ForgottenPasswordForm

#: Every request for a password link is answered after this time, so that timing doesn't reveal who has an account.
LINK_ANSWER_SECONDS = 0.3


class SignInView(LoginView):
    """Sign a person in by user name and password."""

    redirect_authenticated_user = True


class ForgottenPasswordView(PasswordResetView):
    """Send a link to choose a password; the answer is the same whether or not the address is known."""

    form_class = ForgottenPasswordForm

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        """Enqueue the e-mail, and answer after LINK_ANSWER_SECONDS."""
        started_at = time.monotonic()
        response = super().form_valid(form)
        time.sleep(max(0.0, started_at + LINK_ANSWER_SECONDS - time.monotonic()))
        return response


class ChoosePasswordView(PasswordResetConfirmView):
    """Let a person choose a password through a link that works once, and sign them in."""

    success_url = reverse_lazy("overview")
    post_reset_login = True
    post_reset_login_backend = "django.contrib.auth.backends.ModelBackend"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the user, so that the person sees the user name to sign in with."""
        return super().get_context_data(invited=self.user if self.validlink else None, **kwargs)


class SwitchOrganizationView(View):
    """Switch to another of the person's organizations."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the choice in the session; 404 unless the person is a member there."""
        membership = get_object_or_404(
            memberships_of(request), organization__slug=request.POST.get("organization", "")
        )
        request.session[ORGANIZATION_SESSION_KEY] = membership.organization.slug
        return redirect(return_url(request, "/"))
