"""The last step of social-auth's pipeline: Lever's grant becomes the organization's LeverConnection."""

from typing import TypedDict, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from social_core.exceptions import AuthException
from social_django.strategy import DjangoStrategy

from integrations.clients.deviations import record_deviations
from integrations.http.json_types import JsonObject
from integrations.lever import shapes
from integrations.lever.oauth import LeverOAuth2, claims
from integrations.models import LeverConnection, Membership
from integrations.pages.access import memberships_of
from integrations.queue import notify
from integrations.vocabulary import Platform
from integrations.workflow.operations.lever_connection import connect_lever

#: The session's key for the slug of the organization that is being connected.
CONNECTING_SESSION_KEY = "oauth_organization"

SHARED_ACCOUNT = (
    "Another organization here is connected to the same Lever account, and both would invite its candidates. "
    "If this isn't the account you meant: disconnect, sign in to the right account in Lever, and connect again."
)


class PipelineResult(TypedDict):
    """What the pipeline continues with."""

    user: User


class NotSuperAdmin(AuthException):
    """The person isn't, or is no longer, a Super Admin of the organization."""

    default_code = "not_super_admin"


def save_connection(
    strategy: DjangoStrategy, backend: LeverOAuth2, response: JsonObject, user: User, **_: object
) -> PipelineResult:
    """Store the grant, encrypted, for the organization in the session. Raises NotSuperAdmin.

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
    deviations = shapes.TOKEN.deviations(response)
    record_deviations(membership.organization, Platform.LEVER, shapes.TOKEN.name, deviations)
    token_claims = claims(str(response["access_token"]))
    connection = connect_lever(
        membership.organization,
        response,
        user,
        lever_user_id=token_claims.user_id,
        lever_account_id=token_claims.account_id,
    )
    notify.notify_workers()
    notify.request_catalog_refresh(membership.organization)
    request.session[CONNECTING_SESSION_KEY] = None
    messages.success(request, f"Lever is connected to {membership.organization.name}.")
    if _is_shared(connection):
        messages.warning(request, SHARED_ACCOUNT)
    return {"user": user}


def _is_shared(connection: LeverConnection) -> bool:
    """Whether another organization uses the same Lever account; False where the token doesn't name the account."""
    if not connection.lever_account_id:
        return False
    same_account = LeverConnection.objects.filter(
        lever_account_id=connection.lever_account_id, state=LeverConnection.State.CONNECTED
    )
    return same_account.exclude(pk=connection.pk).exists()
