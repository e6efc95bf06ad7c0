"""The last step of social-auth's pipeline: Lever's grant becomes the organization's LeverConnection."""

from typing import TypedDict, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from social_core.exceptions import AuthException
from social_django.strategy import DjangoStrategy

from integrations.clients.deviations import record_deviations
from integrations.http.json_types import JsonObject
from integrations.lever import shapes
from integrations.lever.oauth import LeverOAuth2
from integrations.models import Membership
from integrations.pages.access import memberships_of
from integrations.pages.settings.lever_connect import accept_or_ask
from integrations.vocabulary import Platform
from integrations.workflow.operations.lever_connection import read_grant

#: The session's key for the slug of the organization that is being connected.
CONNECTING_SESSION_KEY = "oauth_organization"


class PipelineResult(TypedDict):
    """What the pipeline continues with."""

    user: User


class NotSuperAdmin(AuthException):
    """The person isn't, or is no longer, a Super Admin of the organization."""

    default_code = "not_super_admin"


def save_connection(
    strategy: DjangoStrategy, backend: LeverOAuth2, response: JsonObject, user: User, **_: object
) -> PipelineResult | HttpResponse:
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
    deviations = shapes.TOKEN.deviations(response)
    record_deviations(membership.organization, Platform.LEVER, shapes.TOKEN.name, deviations)
    request.session[CONNECTING_SESSION_KEY] = None
    grant = read_grant(membership.organization, response)
    return accept_or_ask(request, membership.organization, grant, user) or {"user": user}
