"""Lever's consent: the views around social-auth, and the steps of its pipeline."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from social_core.exceptions import AuthException, SocialAuthBaseException
from social_django.middleware import SocialAuthExceptionMiddleware
from social_django.strategy import DjangoStrategy
from social_django.views import auth

from integrations.accounts.acts.fresh_proof import is_admitted, proof_wanted
from integrations.http.json_values import JsonObject
from integrations.lever.acts.connection import read_grant
from integrations.lever.oauth import (
    FILES_SCOPE,
    OPTIONAL_SCOPES_SESSION_KEY,
    REGION_SESSION_KEY,
    LeverOAuth2,
)
from integrations.lever.regions import Region
from integrations.members.models.membership import Membership
from integrations.pages.access import current_membership, memberships_of, second_factor_address
from integrations.pages.settings.lever_connect import accept_or_ask

# The last step of social-auth's pipeline: Lever's grant becomes the organization's LeverConnection.


#: The session's key for the slug of the organization that is being connected.
CONNECTING_SESSION_KEY = "oauth_organization"


class NotSuperAdmin(AuthException):
    """The person isn't, or is no longer, a Super Admin of the organization."""

    default_code = "not_super_admin"


def save_connection(
    strategy: DjangoStrategy, backend: LeverOAuth2, response: JsonObject, user: User, **_: object
) -> dict[str, User] | HttpResponse:
    """Store the grant, encrypted, for the organization in the session. Raises NotSuperAdmin.

    A grant for another Lever account than before isn't used yet: the answer is a redirect to the question.

    `response` is Lever's token answer: access_token, refresh_token, expires_in (seconds), scope.
    """
    request = cast(HttpRequest, strategy.request)
    slug = request.session.get(CONNECTING_SESSION_KEY)
    membership = (
        memberships_of(request)
        .filter(user=user, organization__slug=slug or "", role=Membership.Role.SUPER_ADMIN)
        .first()
    )
    if membership is None:
        raise NotSuperAdmin(backend)
    request.session[CONNECTING_SESSION_KEY] = None
    access = read_grant(membership.organization, response, backend.region)
    return accept_or_ask(request, membership.organization, access, user) or {"user": user}


# Start Lever's OAuth consent, and explain each way it can fail.


AGAIN = "Connect Lever again."
NOT_SUPER_ADMIN = "Only a Super Admin of the organization can connect Lever."

#: The sentence for each of social-auth's error codes.
EXPLANATIONS = {
    "authorization_declined": (
        "Lever was not connected, and nothing was changed. Only a Super Admin of your Lever account can accept. Sign "
        f"in to Lever as one, or ask one to do this step here. {AGAIN}"
    ),
    "state_mismatch": f"Lever's answer doesn't belong to the connection you began here. {AGAIN}",
    "session_context_missing": f"The connection was begun in another window or too long ago. {AGAIN}",
    "user_mismatch": f"The connection was begun by somebody else in this browser. Sign in again. {AGAIN}",
    "missing_parameter": f"Lever's answer was incomplete. {AGAIN}",
    "missing_claim": f"Lever's answer held no access token. {AGAIN}",
    "malformed_response": f"Lever's answer could not be read. Wait a minute. {AGAIN}",
    "authorization_code_rejected": f"Lever refused the authorization code: it was used or is too old. {AGAIN}",
    "credential_rejected": "Lever refused the app's credentials. An operator must check LEVER_CLIENT_ID and SECRET.",
    "timeout": f"Lever didn't answer in time. Wait a minute. {AGAIN}",
    "tls_error": "No secure connection to Lever could be made. An operator must check LEVER_AUTH_URL.",
    "http_error": f"Lever's authorization server answered with an error. Wait a minute. {AGAIN}",
    "not_super_admin": NOT_SUPER_ADMIN,
    # Lever's own code, where ours would say less
    "invalid_scope": (
        "Lever refused a permission that the portal asks for: the app that is registered with Lever doesn't list it. "
        f"An operator can have it added. If it is {FILES_SCOPE}, an Admin can also switch off the report as a file "
        "under Roles and rules › Rules. Then connect again."
    ),
}


@login_required
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Redirect a Super Admin to Lever's consent page, for the form's organization or the one they work in."""
    slug = request.POST.get("organization", "")
    membership = (
        memberships_of(request).filter(organization__slug=slug).first()
        if slug
        else current_membership(request)
    )
    if membership is None or not membership.may_connect:
        raise PermissionDenied(NOT_SUPER_ADMIN)
    if not is_admitted(request, membership.organization):
        return redirect(second_factor_address(request))
    if wanted := proof_wanted(request, reverse("settings")):
        return wanted
    if not settings.LEVER_CLIENT_ID:
        messages.error(
            request, "Connecting is off: an operator must set LEVER_CLIENT_ID and LEVER_CLIENT_SECRET."
        )
        return redirect("settings")
    request.session[CONNECTING_SESSION_KEY] = membership.organization.slug
    request.session[OPTIONAL_SCOPES_SESSION_KEY] = (
        [FILES_SCOPE] if membership.organization.attach_report else []
    )
    region = request.POST.get("region") or membership.organization.lever_region
    request.session[REGION_SESSION_KEY] = region if region in Region.values else Region.WORLDWIDE.value
    request.session.pop(REDIRECT_FIELD_NAME, None)  # left by an attempt that wasn't finished
    response: HttpResponse = auth(request, "lever")
    return response


class OAuthFailureMiddleware(SocialAuthExceptionMiddleware):
    """Redirect every failed consent to the page it was started from, with a message that says what to do."""

    def get_redirect_uri(self, request: HttpRequest, exception: Exception) -> str:
        return str(request.session.get(REDIRECT_FIELD_NAME) or "/settings/")

    def get_message(self, request: HttpRequest, exception: Exception) -> str:
        """Return the explanation of the failure; text from Lever's answer is never shown."""
        if not isinstance(exception, SocialAuthBaseException):
            return f"Lever was not connected (unknown). {AGAIN}"
        explained = EXPLANATIONS.get(str(exception.provider_code)) or EXPLANATIONS.get(str(exception.code))
        return explained or f"Lever was not connected ({exception.code}). {AGAIN}"

    def raise_exception(self, request: HttpRequest, exception: Exception) -> bool:
        """Never raise: each failure becomes a message."""
        return False
