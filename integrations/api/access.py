"""Who asks: a program by its token. What it may read, and how often."""

from typing import cast

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from integrations.accounts.models.attempts import AttemptLimit, Limit, TooMany, keyed_limits
from integrations.api.models import ApiToken

WHERE = "A Super Admin makes one under Settings › Integrations › Advanced."
#: Pages of one program: a hundred at once, then five a second. Its questions take the same database as webhooks.
PAGES = (Limit(100, 0.2),)


class TokenAuthentication(BaseAuthentication):
    """A token in the header `Authorization: Bearer …`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiToken] | None:
        """Return the token; None without one. Raises AuthenticationFailed."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.objects.sent_as(text.strip())
        if token is None:
            raise AuthenticationFailed(f"There is no such token: perhaps it was revoked. {WHERE}")
        if token.is_expired:
            raise AuthenticationFailed(f"This token ended on {token.expires_at:%-d %B %Y}. {WHERE}")
        token.mark_used()
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        """Return what a refusal asks for."""
        return "Bearer"


class HasScope(BasePermission):
    """Whether the list is among those that the token may read."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True. Raises NotAuthenticated, or PermissionDenied with what may be read."""
        token, scope = request.auth, view.scope  # type: ignore[attr-defined]
        if not isinstance(token, ApiToken):
            raise NotAuthenticated(f"Send a token in the header “Authorization: Bearer …”. {WHERE}")
        if scope not in token.scopes:
            has = ", ".join(token.scopes)
            raise PermissionDenied(f"This token doesn't have the scope {scope}. It has: {has}. {WHERE}")
        return True


class PageThrottle(BaseThrottle):
    """Counts the pages that a program reads, over all processes."""

    refused: TooMany | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        token = cast(ApiToken, request.auth)  # HasScope was asked before
        self.refused = AttemptLimit.refusal(keyed_limits(f"api:{token.pk}", PAGES))
        return self.refused is None

    def wait(self) -> float | None:
        """Return after how many seconds it may."""
        return self.refused.seconds if self.refused else None


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """What the OpenAPI document says of a token."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
