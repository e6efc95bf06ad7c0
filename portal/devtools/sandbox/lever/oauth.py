"""OAuth: the consent page, what an app asks for there, where the answer leads, and the token endpoint."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Self
from urllib.parse import urlencode

from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.grants import SCOPES, Client, Grant
from portal.devtools.sandbox.lever.pages.base import sign_in, signed_in_slug
from portal.devtools.sandbox.lever.platform import LeverPlatform
from portal.devtools.sandbox.messages import (
    HttpError,
    Request,
    Response,
    Route,
    api_route,
    json_response,
    redirect,
    render,
)

NOT_SUPER_ADMIN = "Only a Super Admin can authorize this app."


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """The query of an authorize URL."""

    client_id: str
    redirect_uri: str
    response_type: str
    state: str
    audience: str
    scope: str
    prompt: str

    @classmethod
    def read(cls, value_of: Callable[[str], str]) -> Self:
        """Return the request whose parameters a function looks up by name."""
        return cls(**{field.name: value_of(field.name) for field in fields(cls)})

    @property
    def scopes(self) -> frozenset[str]:
        """The known scopes that are asked for."""
        return frozenset(self.scope.split()) & SCOPES

    def parameters(self) -> dict[str, str]:
        """Return the query's parameters."""
        return asdict(self)

    def answer_url(self, **answer: str) -> str:
        """Return the app's address with an answer in its query."""
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(answer | {'state': self.state})}"

    def denied_url(self, description: str) -> str:
        """Return the app's address with the error that access is denied."""
        return self.answer_url(error="access_denied", error_description=description)


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """Where an answer leads the browser, and the account that it is signed in to by granting."""

    url: str
    signed_in: LeverAccount | None = None


class Consent:
    """Answers consent requests for the accounts of a platform."""

    def __init__(self, platform: LeverPlatform) -> None:
        self._platform = platform

    def check_client(self, asked: ConsentRequest) -> Client:
        """Return the app that asks; raises an HttpError for what must not be redirected anywhere."""
        client = self._platform.grants.client
        if asked.client_id != client.id:
            raise HttpError(400, "ClientID not found.")
        if asked.redirect_uri not in client.redirect_uris:
            message = "Callback URL mismatch: redirect_uri isn't one of the registered addresses."
            raise HttpError(403, message)
        if not asked.state:
            raise HttpError(400, "Missing required parameter: state.")
        return client

    def error_url(self, asked: ConsentRequest) -> str | None:
        """Return where a faulty request is led back to, or None for one without fault."""
        if asked.response_type != "code":
            description = f"Unsupported response type: {asked.response_type}"
            return asked.answer_url(error="unsupported_response_type", error_description=description)
        if asked.audience not in self._platform.audiences:
            return asked.denied_url(f"Service not found: {asked.audience}")
        return None

    def repeat_url(self, asked: ConsentRequest, account: LeverAccount) -> str | None:
        """Return where an app that has a grant already is led back to, or None if a person is to be asked."""
        grant = self._platform.grants.covering(account.slug, asked.scopes)
        if grant is None or asked.prompt == "consent":
            return None
        return asked.answer_url(code=self._platform.grants.code(grant, asked.redirect_uri))

    def answer(
        self, asked: ConsentRequest, decision: str, account: LeverAccount | None, role: str
    ) -> ConsentAnswer:
        """Grant or deny as the user decides; raises an HttpError where no account or no known app is named.

        Only a Super Admin can grant; another role is led back to the app with an error.
        """
        self.check_client(asked)
        error_url = self.error_url(asked)
        if error_url is not None:
            return ConsentAnswer(error_url)
        if decision != "accept":
            return ConsentAnswer(asked.denied_url("User did not authorize the request"))
        if account is None:
            raise HttpError(400, "Choose the Lever account to connect.")
        user = account.user_with_role(role)
        if user is None or role != "super admin":
            return ConsentAnswer(asked.denied_url(NOT_SUPER_ADMIN))
        grants = self._platform.grants
        grant = grants.grant(account, user, asked.scopes)
        return ConsentAnswer(asked.answer_url(code=grants.code(grant, asked.redirect_uri)), account)

    def account_to_offer(self, scopes: frozenset[str]) -> LeverAccount | None:
        """Return the first account without a grant, else the first account, or None."""
        accounts = list(self._platform.accounts.values())
        grants = self._platform.grants
        without = (account for account in accounts if not grants.covering(account.slug, scopes))
        return next(without, accounts[0] if accounts else None)


class ConsentPages:
    """The page and its answer."""

    def __init__(self, platform: LeverPlatform) -> None:
        self._platform = platform
        self._consent = Consent(platform)

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        return [Route("GET", "/authorize", self.ask), Route("POST", "/authorize", self.decide)]

    def ask(self, request: Request) -> Response:
        """Show the consent page, or go straight back where the same was granted before."""
        asked = ConsentRequest.read(lambda name: request.args.get(name, ""))
        client = self._consent.check_client(asked)
        error_url = self._consent.error_url(asked)
        if error_url is not None:
            return redirect(error_url)
        signed_in = self._signed_in(request)
        repeat_url = self._consent.repeat_url(asked, signed_in) if signed_in else None
        if repeat_url is not None:
            return redirect(repeat_url)
        context = {
            "client": client,
            "asked": asked.parameters(),
            "scopes": sorted(asked.scopes),
            "accounts": self._platform.accounts.values(),
            "signed_in": signed_in or self._consent.account_to_offer(asked.scopes),
        }
        return render("lever/consent.html", context)

    def decide(self, request: Request) -> Response:
        """Grant or deny, and lead back to the app."""
        asked = ConsentRequest.read(request.field)
        account = self._platform.accounts.get(request.field("account"))
        role = request.field("role") or "super admin"
        answer = self._consent.answer(asked, request.field("decision"), account, role)
        response = redirect(answer.url)
        return sign_in(response, answer.signed_in) if answer.signed_in else response

    def _signed_in(self, request: Request) -> LeverAccount | None:
        """Return the account the browser is signed in to; the only account, where there is but one."""
        accounts = self._platform.accounts
        if len(accounts) == 1:
            return next(iter(accounts.values()))
        return accounts.get(request.args.get("login_hint") or signed_in_slug(request))


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
