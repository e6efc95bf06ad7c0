"""The token endpoint: codes and refresh tokens become access tokens."""

from portal.devtools.sandbox.http.messages import (
    HttpError,
    Request,
    Response,
    Route,
    api_route,
    json_response,
)
from portal.devtools.sandbox.lever.behaviour.platform import LeverPlatform
from portal.devtools.sandbox.lever.state.grants import Grant

PATH = "/oauth/token"


class TokenEndpoint:
    """Answers token requests, with a form or with JSON."""

    def __init__(self, platform: LeverPlatform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Return the endpoint's one route."""
        return [api_route("POST", PATH, self.token)]

    def token(self, request: Request) -> Response:
        """Answer with tokens for a code or a refresh token."""
        sent = token_fields(request)
        try:
            grant = self._grant(sent)
        except HttpError as error:
            body = {"error": error.code, "error_description": error.message}
            return json_response(body, error.status)
        account = self._platform.accounts[grant.account]
        with account.lock:
            account.ledger.count_call("POST", f"{PATH} ({sent['grant_type']})", 200)
        return json_response(self._platform.grants.issue(grant, account))

    def _grant(self, sent: dict[str, str]) -> Grant:
        grants = self._platform.grants
        if sent["client_id"] != grants.client.id or sent["client_secret"] != grants.client.secret:
            raise HttpError(401, "Unauthorized", "access_denied")
        if sent["grant_type"] == "authorization_code":
            return grants.redeem(sent["code"], sent["redirect_uri"])
        if sent["grant_type"] == "refresh_token":
            return grants.refresh(sent["refresh_token"], self._platform.accounts)
        raise HttpError(403, f"Unsupported grant type: {sent['grant_type']}", "unsupported_grant_type")


def token_fields(request: Request) -> dict[str, str]:
    """Return the fields of a token request, absent ones empty."""
    names = ("grant_type", "client_id", "client_secret", "code", "redirect_uri", "refresh_token")
    if request.mimetype != "application/json":
        return {name: request.form.get(name, "") for name in names}
    body = request.json_object()
    return {name: body[name] if isinstance(body.get(name), str) else "" for name in names}
