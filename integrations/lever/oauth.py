"""Lever's OAuth 2.0: the social-auth backend for the consent, and the refresh of a grant.

Source: https://hire.lever.co/developer/oauth and https://hire.lever.co/developer/documentation#authentication
"""

import base64
import binascii
import json
import logging
from typing import Any, NamedTuple

import requests
from django.conf import settings
from social_core.backends.oauth import BaseOAuth2
from social_core.exceptions import AuthProviderError
from social_core.utils import http_error

from integrations.core import slots
from integrations.http import deadlines
from integrations.http.connections import new_session
from integrations.http.json_values import JsonObject
from integrations.http.redirects import LedElsewhere, follow
from integrations.http.session import PlatformError, PlatformSession
from integrations.lever.regions import Region

logger = logging.getLogger(__name__)

SCOPES: dict[str, str] = {
    "offline_access": "stay connected after you close the browser",
    "opportunities:write:admin": "read the candidate; set tags and the report link; move those who passed, if you "
    "say where to",
    "applications:read:admin": "see which posting the candidate applied to",
    "postings:read:admin": "list your roles and their tags, to choose the assessment",
    "stages:read:admin": "recognise the stages that begin with CodeScreen",
    "users:read:admin": "choose the author of feedback; propose people as members, and end the access of those who are "
    "deactivated",
    "interviews:read:admin": "show members the candidates that they interview",
    "notes:write:admin": "leave a note when nothing could be sent",
    "feedback_templates:write:admin": "make the form the result is written into",
    "feedback:write:admin": "write the result as feedback",
    "webhooks:write:admin": "make the stage-change webhook for you",
}

FILES_SCOPE = "files:write:admin"
#: Asked for only where an organization uses what each is for: Lever may refuse a scope that the app doesn't list.
OPTIONAL_SCOPES: dict[str, str] = {
    FILES_SCOPE: "attach the report to the candidate as a file",
}
#: The session's keys for the optional scopes that this consent asks for, and for its region.
OPTIONAL_SCOPES_SESSION_KEY = "oauth_optional_scopes"
REGION_SESSION_KEY = "oauth_region"


def scopes_of(*, attaches_files: bool) -> dict[str, str]:
    """Return the scopes that an organization needs, each with what it is for."""
    return {**SCOPES, **OPTIONAL_SCOPES} if attaches_files else SCOPES


class LeverOAuth2(BaseOAuth2[JsonObject]):
    """The social-auth backend that asks a Lever Super Admin for the grant; configured by LEVER_* settings."""

    name = "lever"
    ACCESS_TOKEN_METHOD = "POST"
    SCOPE_SEPARATOR = " "
    DEFAULT_SCOPE = list(SCOPES)
    REDIRECT_STATE = False
    EXTRA_DATA = []  # tokens go to LeverConnection, encrypted; nothing goes to social-auth's own table

    def authorization_url(self) -> str:
        return f"{self.region.auth_url}/authorize"

    def access_token_url(self) -> str:
        return f"{self.region.auth_url}/oauth/token"

    @property
    def region(self) -> Region:
        """The region that this consent is for."""
        return Region(self.strategy.session_get(REGION_SESSION_KEY) or Region.WORLDWIDE)

    def get_key_and_secret(self) -> tuple[str, str]:
        return settings.LEVER_CLIENT_ID, settings.LEVER_CLIENT_SECRET

    def get_scope(self) -> list[str]:
        """Return the scopes to ask for: those that everyone needs, and the optional ones of this consent."""
        optional = self.strategy.session_get(OPTIONAL_SCOPES_SESSION_KEY) or []
        return [*super().get_scope(), *(scope for scope in optional if scope in OPTIONAL_SCOPES)]

    def auth_params(self, state: str | None = None) -> JsonObject:
        """Add the audience: without it, Lever's token has access to nothing."""
        return {**super().auth_params(state), "audience": self.region.audience}

    def request(self, url: str, **options: Any) -> requests.Response:
        """Call Lever as all other calls do: a redirect takes the code and the app's secret to Lever's own hosts alone.

        Proxies named in the environment aren't used. Raises AuthProviderError, and Busy while too many wait for Lever.
        """
        slots.hold(slots.Work.PLATFORM)
        stage = options.get("stage", "user_info")  # social-core's word for a step of signing in
        method = options.get("method", "GET")
        is_write = method != "GET"
        session = new_session()

        def send(address: str) -> requests.Response:
            return session.request(
                method,
                address,
                headers=options.get("headers"),
                data=options.get("data"),
                params=options.get("params"),
                auth=options.get("auth"),
                timeout=(deadlines.CONNECT_SECONDS, deadlines.READ_SECONDS),
                allow_redirects=False,
            )

        try:
            with session, deadlines.bounded(deadlines.TOTAL_SECONDS, is_write=is_write):
                response = follow(send, url, is_write=is_write)
        except LedElsewhere as error:
            logger.warning("Lever's sign-in %s", error)
            raise AuthProviderError(self, code="http_error", stage=stage) from None
        except requests.exceptions.SSLError as error:
            raise AuthProviderError(self, code="tls_error", stage=stage) from error
        except requests.Timeout as error:
            raise AuthProviderError(self, code="timeout", stage=stage) from error
        except requests.RequestException as error:
            raise AuthProviderError(self, code="connection_failed", stage=stage) from error
        try:
            response.raise_for_status()
        except requests.HTTPError as error:
            raise http_error(self, error, stage=stage) from error
        return response

    def get_user_id(self, details: JsonObject, response: JsonObject) -> str:
        """Return the id of the Lever user, or a constant if unknown: the portal signs nobody in by it."""
        return claims(response.get("access_token", "")).user_id or "lever"

    def get_user_details(self, response: JsonObject) -> JsonObject:
        """Return nothing: users of the portal aren't users of Lever."""
        return {}

    def user_data(self, access_token: str, *args: object, **kwargs: object) -> JsonObject:
        """Return nothing: the token answer has everything."""
        return {}


class TokenClaims(NamedTuple):
    """The ids of the Lever user and account in an access token, empty where it doesn't contain them."""

    user_id: str
    account_id: str


def claims(access_token: str) -> TokenClaims:
    """Return the ids in an access token.

    The token is a JWT today, but Lever doesn't promise it: the ids are hints, and prove nothing.
    """
    try:
        part = access_token.split(".")[1]
        body = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        body = None
    found = body if isinstance(body, dict) else {}
    return TokenClaims(
        user_id=str(found.get("https://oauth.lever.co/userId") or ""),
        account_id=str(found.get("https://oauth.lever.co/accountId") or ""),
    )


def refresh(session: PlatformSession, refresh_token: str) -> JsonObject:
    """Exchange a single-use refresh token for a new pair of tokens. Return the token answer.

    `session` calls the authorization server. Raises PlatformError: permanent, with `invalid_grant` as
    `body["error"]`, when the grant has ended.
    """
    form = {
        "grant_type": "refresh_token",
        "client_id": settings.LEVER_CLIENT_ID,
        "client_secret": settings.LEVER_CLIENT_SECRET,
        "refresh_token": refresh_token,
    }
    tokens = session.request("POST", "/oauth/token", form=form)
    if not isinstance(tokens, dict) or not isinstance(tokens.get("access_token"), str):
        raise PlatformError("Lever's token endpoint answered without an access token", ambiguous=True)
    return tokens
