"""Signing in and out, choosing a password by a link, and changing to another of one's organizations."""

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

#: Every answer to a request for a link takes this long, so that its time doesn't tell whom the portal knows.
LINK_ANSWER_SECONDS = 0.3


class SignInView(LoginView):
    """Sign a person in by user name and password."""

    redirect_authenticated_user = True


class ForgottenPasswordView(PasswordResetView):
    """Send a link to choose a password, and answer alike whether there is anybody to send it to."""

    form_class = ForgottenPasswordForm

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        """Ask for the e-mail, and answer after the same time as always."""
        began = time.monotonic()
        answer = super().form_valid(form)
        time.sleep(max(0.0, began + LINK_ANSWER_SECONDS - time.monotonic()))
        return answer


class ChoosePasswordView(PasswordResetConfirmView):
    """Let a member who was invited, or has forgotten theirs, choose a password, once, and sign them in."""

    success_url = reverse_lazy("overview")
    post_reset_login = True
    post_reset_login_backend = "django.contrib.auth.backends.ModelBackend"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the person's user name, so that they know what to sign in with next time."""
        return super().get_context_data(invited=self.user if self.validlink else None, **kwargs)


class SwitchOrganizationView(View):
    """Work in another organization from here on."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Remember the choice in the session; 404 unless the person is a member there."""
        chosen = get_object_or_404(
            memberships_of(request), organization__slug=request.POST.get("organization", "")
        )
        request.session[ORGANIZATION_SESSION_KEY] = chosen.organization.slug
        return redirect(return_url(request, "/"))
