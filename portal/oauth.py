"""Begin Lever's consent, and explain every way it can fail."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from social_core.exceptions import SocialAuthBaseException
from social_django.middleware import SocialAuthExceptionMiddleware
from social_django.views import auth

from integrations.models import Membership
from integrations.pipeline import SESSION_ORGANIZATION

EXPLANATIONS = {
    "authorization_declined": "Lever was not connected: consent was denied. Nothing was changed. Press Connect again and "
    "Accept in Lever.",
    "state_mismatch": "Lever's answer doesn't belong to the connection you began here. Press Connect again, in one window.",
    "session_context_missing": "The connection was begun in another window or too long ago. Press Connect again.",
    "user_mismatch": "The connection was begun by somebody else in this browser. Sign in again and press Connect.",
    "missing_parameter": "Lever's answer was incomplete. Press Connect again.",
    "missing_claim": "Lever's answer held no access token. Press Connect again; if it goes on, check the registered app.",
    "malformed_response": "Lever's answer could not be read. Press Connect again in a minute.",
    "authorization_code_rejected": "Lever refused the authorization code: it was used already or is too old. Press "
    "Connect again.",
    "credential_rejected": "Lever refused the app's credentials. An operator must check LEVER_CLIENT_ID and "
    "LEVER_CLIENT_SECRET.",
    "timeout": "Lever didn't answer in time. Press Connect again in a minute.",
    "tls_error": "No secure connection to Lever could be made. An operator must check LEVER_AUTH_URL.",
    "http_error": "Lever's authorization server answered with an error. Press Connect again in a minute.",
    "not_super_admin": "Only a Super Admin of the organization can connect Lever.",
}


@never_cache
@login_required
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Send a Super Admin to Lever's consent, for the organization the form names or the one they are in."""
    slug = request.POST.get("organization") or request.session.get("organization") or ""
    mine = Membership.objects.filter(user_id=request.user.pk, role=Membership.Role.SUPER_ADMIN)
    membership = mine.filter(organization__slug=slug).first() if slug else mine.order_by("pk").first()
    if membership is None:
        raise PermissionDenied("Only a Super Admin of the organization can connect Lever.")
    if not settings.LEVER_CLIENT_ID:
        messages.error(request, "Connecting is off: an operator must set LEVER_CLIENT_ID and LEVER_CLIENT_SECRET.")
        return redirect("settings")
    request.session[SESSION_ORGANIZATION] = membership.organization.slug
    answer: HttpResponse = auth(request, "lever")
    return answer


class OAuthFailureMiddleware(SocialAuthExceptionMiddleware):  # type: ignore[misc]
    """Bring every failed consent back to the settings page with a sentence that says what to do."""

    def get_redirect_uri(self, request: HttpRequest, exception: Exception) -> str:
        """Return to where it was begun."""
        return "/settings/"

    def get_message(self, request: HttpRequest, exception: Exception) -> str:
        """Explain the failure; never repeats what the other side sent."""
        code = exception.code if isinstance(exception, SocialAuthBaseException) else ""
        return EXPLANATIONS.get(str(code), f"Lever was not connected ({code or 'unknown'}). Press Connect again.")

    def raise_exception(self, request: HttpRequest, exception: Exception) -> bool:
        """Never show a traceback for what Lever answered."""
        return False
