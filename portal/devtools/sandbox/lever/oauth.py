"""OAuth: the consent page, what an app asks for there, where the answer leads, and the token endpoint."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Self
from urllib.parse import urlencode

from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.grants import SCOPES, Grant
from portal.devtools.sandbox.lever.pages import sign_in, signed_in_slug
from portal.devtools.sandbox.lever.platform import LeverPlatform
from portal.devtools.sandbox.messages import (
    HttpError,
    Request,
    Response,
    Route,
    json_response,
    redirect,
    render,
)


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """The query of an authorize URL."""

    client_id: str
    redirect_uri: str
    state: str
    audience: str
    scope: str

    @classmethod
    def read(cls, value_of: Callable[[str], str]) -> Self:
        """Return the request whose parameters a function looks up by name."""
        return cls(**{field.name: value_of(field.name) for field in fields(cls)})

    @property
    def scopes(self) -> frozenset[str]:
        """The known scopes that are asked for."""
        return frozenset(self.scope.split()) & SCOPES

    def answer_url(self, **answer: str) -> str:
        """Return the app's address with an answer in its query."""
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(answer | {'state': self.state})}"

    def denied_url(self, description: str) -> str:
        """Return the app's address with the error that access is denied."""
        return self.answer_url(error="access_denied", error_description=description)


class Consent:
    """The page on which a Super Admin grants an app what it asks for, and its answer."""

    def __init__(self, platform: LeverPlatform) -> None:
        self._accounts = platform.accounts
        self._grants = platform.grants
        self._audiences = platform.audiences

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        return [Route("GET", "/authorize", self.ask), Route("POST", "/authorize", self.decide)]

    def ask(self, request: Request) -> Response:
        """Show the page, or go straight back where the same was granted before."""
        asked = ConsentRequest.read(lambda name: request.args.get(name, ""))
        self._check_client(asked)
        error_url = self._error_url(asked)
        if error_url is not None:
            return redirect(error_url)
        account = self._accounts.get(signed_in_slug(request))
        grant = self._grants.covering(account.slug, asked.scopes) if account else None
        if grant is not None:
            return redirect(asked.answer_url(code=self._grants.code(grant, asked.redirect_uri)))
        accounts = list(self._accounts.values())
        without = (one for one in accounts if not self._grants.covering(one.slug, asked.scopes))
        context = {
            "client": self._grants.client,
            "asked": asdict(asked),
            "scopes": sorted(asked.scopes),
            "accounts": accounts,
            "signed_in": account or next(without, accounts[0]),
        }
        return render("lever/consent.html", context)

    def decide(self, request: Request) -> Response:
        """Grant or deny, and lead back to the app."""
        account = self._accounts.get(request.field("account"))
        if account is None:
            raise HttpError(400, "Choose the Lever account to connect.")
        asked = ConsentRequest.read(request.field)
        return sign_in(redirect(self.answer(asked, request.field("decision"), account)), account)

    def answer(self, asked: ConsentRequest, decision: str, account: LeverAccount) -> str:
        """Grant or deny as a Super Admin decides; return where that leads. Raises an HttpError for an unknown app."""
        self._check_client(asked)
        error_url = self._error_url(asked)
        if error_url is not None:
            return error_url
        if decision != "accept":
            return asked.denied_url("User did not authorize the request")
        user = account.super_admin()
        if user is None:
            return asked.denied_url("Only a Super Admin can authorize this app.")
        grant = self._grants.grant(account, user, asked.scopes)
        return asked.answer_url(code=self._grants.code(grant, asked.redirect_uri))

    def _check_client(self, asked: ConsentRequest) -> None:
        """Raise an HttpError for what must not be redirected anywhere."""
        client = self._grants.client
        if asked.client_id != client.id:
            raise HttpError(400, "ClientID not found.")
        if asked.redirect_uri not in client.redirect_uris:
            message = "Callback URL mismatch: redirect_uri isn't one of the registered addresses."
            raise HttpError(403, message)
        if not asked.state:
            raise HttpError(400, "Missing required parameter: state.")

    def _error_url(self, asked: ConsentRequest) -> str | None:
        """Return where a faulty request is led back to, or None for one without fault."""
        if asked.audience not in self._audiences:
            return asked.denied_url(f"Service not found: {asked.audience}")
        return None


PATH = "/oauth/token"


class TokenEndpoint:
    """Answers token requests."""

    def __init__(self, platform: LeverPlatform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Return the endpoint's one route."""
        return [Route("POST", PATH, self.token)]

    def token(self, request: Request) -> Response:
        """Answer with tokens for a code or a refresh token."""
        sent = token_fields(request)
        try:
            grant = self._grant(sent)
        except HttpError as error:
            body = {"error": error.code, "error_description": error.message}
            return json_response(body, error.status)
        account = self._platform.accounts[grant.account]
        return json_response(self._platform.grants.issue(grant, account))

    def _grant(self, sent: dict[str, str]) -> Grant:
        grants = self._platform.grants
        if sent["client_id"] != grants.client.id or sent["client_secret"] != grants.client.secret:
            raise HttpError(401, "Unauthorized", "access_denied")
        if sent["grant_type"] == "authorization_code":
            return grants.redeem(sent["code"], sent["redirect_uri"])
        return grants.refresh(sent["refresh_token"], self._platform.accounts)


def token_fields(request: Request) -> dict[str, str]:
    """Return the fields of a token request, absent ones empty."""
    names = ("grant_type", "client_id", "client_secret", "code", "redirect_uri", "refresh_token")
    return {name: request.form.get(name, "") for name in names}
