"""The page that asks a signed-in person for their password again, before they change what opens their account."""

from typing import Any, cast

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView

from integrations.pages.access import own_page
from integrations.recent_sign_in import RECENT, note_proof
from portal.accounts.password_backend import refusal_of
from portal.accounts.throttle import too_many_in_words

WRONG_PASSWORD = "That isn't your password."


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class ConfirmPersonView(TemplateView):
    """Ask for the password, and go on to the page in `next` once it is right."""

    template_name = "accounts/confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add where to go on, and for how many minutes the answer counts."""
        return super().get_context_data(
            next=self._next(), minutes=int(RECENT.total_seconds()) // 60, **kwargs
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Check the password through the same backends as at sign-in, which limit attempts."""
        user = cast(User, request.user)
        found = authenticate(request, username=user.get_username(), password=request.POST.get("password", ""))
        if found is None or found.pk != user.pk:
            refusal = refusal_of(request)
            error = too_many_in_words(refusal) if refusal else WRONG_PASSWORD
            return self.render_to_response(self.get_context_data(error=error))
        note_proof(request)
        return redirect(self._next())

    def _next(self) -> str:
        return own_page(self.request, self.request.GET.get("next", ""), "/account/")
