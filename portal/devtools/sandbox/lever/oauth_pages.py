"""The consent page and the token endpoint."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from portal.devtools.sandbox.http import Refusal, Request, Response, json_response, redirect
from portal.devtools.sandbox.ids import Json
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.pages_common import ACCOUNT_COOKIE, sign_in
from portal.devtools.sandbox.lever.scopes import SCOPES
from portal.devtools.sandbox.pages import render

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox

ASKED = ("client_id", "redirect_uri", "response_type", "state", "audience", "scope", "prompt")
NOT_SUPER_ADMIN = "Only a Super Admin can authorize this app."


class OAuthPages:
    """Consent in the browser, tokens behind it."""

    def __init__(self, server: "LeverSandbox") -> None:
        self._server = server
        server.router.add("GET", "/authorize", self.ask)
        server.router.add("POST", "/authorize", self.decide)
        server.router.add("POST", "/oauth/token", self.token, faultable=True, as_json=True)

    def ask(self, request: Request) -> Response:
        """Show the consent page, or go straight back where the same was granted before."""
        asked = {name: request.arg(name) for name in ASKED}
        self._check_client(asked)
        problem = self._problem(asked)
        if problem:
            return self._back(asked, problem)
        scopes = _scopes(asked)
        signed_in = self._signed_in(request)
        if signed_in and asked["prompt"] != "consent":
            grant = self._server.grants.standing(signed_in.slug, scopes)
            if grant:
                return self._back(asked, {"code": self._server.grants.code(grant, asked["redirect_uri"])})
        context = {
            "client": self._server.grants.client,
            "asked": asked,
            "scopes": sorted(scopes),
            "accounts": self._server.accounts.values(),
            "signed_in": signed_in or self._newest(scopes),
        }
        return render("lever/consent.html", context)

    def decide(self, request: Request) -> Response:
        """Take the answer of the consent page."""
        return self.submit({name: request.field(name) for name in (*ASKED, "account", "role", "decision")})

    def submit(self, form: dict[str, str]) -> Response:
        """Do what the consent page's form says: grant or deny, and lead back to the app."""
        asked = {name: form[name] for name in ASKED}
        self._check_client(asked)
        problem = self._problem(asked)
        if problem:
            return self._back(asked, problem)
        if form["decision"] != "accept":
            description = "User did not authorize the request"
            return self._back(asked, {"error": "access_denied", "error_description": description})
        account = self._server.account(form["account"])
        if account is None:
            raise Refusal(400, "Choose the Lever account to connect.")
        return self._accept(asked, account, form["role"] or "super admin")

    def _accept(self, asked: dict[str, str], account: LeverAccount, role: str) -> Response:
        user = account.user_with_role(role)
        if user is None or role != "super admin":
            return self._back(asked, {"error": "access_denied", "error_description": NOT_SUPER_ADMIN})
        grants = self._server.grants
        grant = grants.grant(account, user, _scopes(asked))
        response = self._back(asked, {"code": grants.code(grant, asked["redirect_uri"])})
        return sign_in(response, account)

    def token(self, request: Request) -> Response:
        """Turn a code or a refresh token into tokens; form and JSON bodies alike."""
        sent = token_fields(request)
        grants = self._server.grants
        if sent["client_id"] != grants.client.id or sent["client_secret"] != grants.client.secret:
            return _token_error(Refusal(401, "Unauthorized", "access_denied"))
        try:
            if sent["grant_type"] == "authorization_code":
                grant = grants.redeem(sent["code"], sent["redirect_uri"])
            elif sent["grant_type"] == "refresh_token":
                grant = grants.refresh(sent["refresh_token"], self._server.accounts)
            else:
                raise Refusal(403, f"Unsupported grant type: {sent['grant_type']}", "unsupported_grant_type")
        except Refusal as refusal:
            return _token_error(refusal)
        account = self._server.accounts[grant.account]
        with account.lock:
            account.books.count_call("POST", f"/oauth/token ({sent['grant_type']})", 200)
        return json_response(grants.issue(grant, account))

    def _check_client(self, asked: dict[str, str]) -> None:
        """Refuse on a page of our own what must not be redirected anywhere."""
        client = self._server.grants.client
        if asked["client_id"] != client.id:
            raise Refusal(400, "ClientID not found.")
        if asked["redirect_uri"] not in client.redirect_uris:
            raise Refusal(403, "Callback URL mismatch: redirect_uri isn't one of the registered addresses.")
        if not asked["state"]:
            raise Refusal(400, "Missing required parameter: state.")

    def _problem(self, asked: dict[str, str]) -> dict[str, str] | None:
        if asked["response_type"] != "code":
            return {
                "error": "unsupported_response_type",
                "error_description": f"Unsupported response type: {asked['response_type']}",
            }
        if asked["audience"] not in self._server.audiences:
            return {
                "error": "access_denied",
                "error_description": f"Service not found: {asked['audience']}",
            }
        return None

    def _signed_in(self, request: Request) -> LeverAccount | None:
        """Return the account the browser is signed in to; with only one there is no question."""
        if len(self._server.accounts) == 1:
            return next(iter(self._server.accounts.values()))
        return self._server.account(request.arg("login_hint") or request.cookie(ACCOUNT_COOKIE))

    def _newest(self, scopes: frozenset[str]) -> LeverAccount | None:
        """Return the first account that nobody has connected yet, else the first."""
        accounts = list(self._server.accounts.values())
        free = (account for account in accounts if not self._server.grants.standing(account.slug, scopes))
        return next(free, accounts[0] if accounts else None)

    def _back(self, asked: dict[str, str], answer: dict[str, str]) -> Response:
        address = asked["redirect_uri"]
        separator = "&" if "?" in address else "?"
        return redirect(f"{address}{separator}{urlencode(answer | {'state': asked['state']})}")


def token_fields(request: Request) -> dict[str, str]:
    """Return the fields of a token request, absent ones empty."""
    if request.content_type == "application/json":
        body: Json = request.json_object()
        sent = {name: value for name, value in body.items() if isinstance(value, str)}
    else:
        sent = {name: values[0] for name, values in request.form.items()}
    names = ("grant_type", "client_id", "client_secret", "code", "redirect_uri", "refresh_token")
    return {name: sent.get(name, "") for name in names}


def _scopes(asked: dict[str, str]) -> frozenset[str]:
    return frozenset(asked["scope"].split()) & SCOPES


def _token_error(refusal: Refusal) -> Response:
    body = {"error": refusal.code, "error_description": refusal.message}
    return json_response(body, refusal.status)
