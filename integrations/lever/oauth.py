"""Lever's OAuth 2.0: the social-auth backend for consent, and the refresh of a grant.

Source: https://hire.lever.co/developer/oauth and https://hire.lever.co/developer/documentation#authentication
"""

import base64
import binascii
import json
from typing import Any

from django.conf import settings
from social_core.backends.oauth import BaseOAuth2

from integrations.http.errors import PlatformError
from integrations.http.session import PlatformSession

SCOPES: dict[str, str] = {
    "offline_access": "stay connected after you close the browser",
    "opportunities:write:admin": "read the candidate who entered the stage; set tags and the report link; move "
    "those who passed, if you say where to",
    "applications:read:admin": "see which posting the candidate applied to",
    "postings:read:admin": "list your roles and their tags, to choose the assessment",
    "stages:read:admin": "recognise the stages that begin with CodeScreen",
    "tags:read:admin": "check tags for spelling mistakes",
    "users:read:admin": "choose the Lever user who is shown as the author of feedback",
    "notes:write:admin": "leave a note when nothing could be sent",
    "feedback_templates:write:admin": "make the form the result is written into",
    "feedback:write:admin": "write the result as feedback",
    "webhooks:write:admin": "make the stage-change webhook for you",
}


class LeverOAuth2(BaseOAuth2):
    """Ask a Lever Super Admin for the grant; configured by LEVER_* settings."""

    name = "lever"
    ACCESS_TOKEN_METHOD = "POST"
    SCOPE_SEPARATOR = " "
    DEFAULT_SCOPE = list(SCOPES)
    REDIRECT_STATE = False
    EXTRA_DATA = []  # tokens go to LeverConnection, encrypted; nothing goes to social-auth's own table

    def authorization_url(self) -> str:
        """Where consent is asked."""
        return f"{settings.LEVER_AUTH_URL}/authorize"

    def access_token_url(self) -> str:
        """Where a code becomes tokens."""
        return f"{settings.LEVER_AUTH_URL}/oauth/token"

    def get_key_and_secret(self) -> tuple[str, str]:
        """The registered app."""
        return settings.LEVER_CLIENT_ID, settings.LEVER_CLIENT_SECRET

    def auth_params(self, state: str | None = None) -> dict[str, Any]:
        """Add the audience, without which Lever issues a token for nothing."""
        return {**super().auth_params(state), "audience": settings.LEVER_AUDIENCE}

    def get_user_id(self, details: dict[str, Any], response: dict[str, Any]) -> str:
        """Return the Lever user of the grant, or a constant: the portal signs nobody in by it."""
        return claims(response.get("access_token", ""))["user_id"] or "lever"

    def get_user_details(self, response: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the portal's people are not Lever's."""
        return {}

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Nothing more to ask for."""
        return {}


def claims(access_token: str) -> dict[str, str]:
    """Return `user_id` and `account_id` from an access token, empty where it doesn't tell.

    The token is a JWT today, but Lever doesn't promise it: it is read as a hint and never trusted as proof.
    """
    try:
        part = access_token.split(".")[1]
        body = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        body = {}
    if not isinstance(body, dict):
        body = {}
    return {
        "user_id": str(body.get("https://oauth.lever.co/userId") or ""),
        "account_id": str(body.get("https://oauth.lever.co/accountId") or ""),
    }


def refresh(session: PlatformSession, refresh_token: str) -> dict[str, Any]:
    """Trade a single-use refresh token for a new pair; the token answer.

    `session` speaks to the authorization server. Raises PlatformError: permanent, with `body["error"]` being
    `invalid_grant`, when the grant is dead.
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
