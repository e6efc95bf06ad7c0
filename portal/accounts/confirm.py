"""The page that asks a signed-in person who they are again, before they change what opens their account."""

from typing import Any, cast

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView

from integrations.accounts.acts.recent_sign_in import RECENT, note_proof
from integrations.members.models.open_memberships import may_use_password
from integrations.pages.access import own_page
from portal.accounts.password_backend import refusal_of
from portal.accounts.single_sign_on.backend import SignInFailed
from portal.accounts.single_sign_on.join import explain
from portal.accounts.single_sign_on.views import prove_anew, provider_of_session
from portal.accounts.throttle import begin_at_provider, too_many, too_many_in_words

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
            minutes=int(RECENT.total_seconds()) // 60,
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
