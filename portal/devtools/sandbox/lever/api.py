"""The common path of every Lever API call: who asks, how often, with which scope, on whose behalf."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from portal.devtools.sandbox.http import Refusal, Request, Response, json_response
from portal.devtools.sandbox.ids import Json
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.oauth import Grants
from portal.devtools.sandbox.lever.scopes import has_scope
from portal.devtools.sandbox.lever.state import Opportunity, User
from portal.devtools.sandbox.routing import Router

HEADERS = [("x-lever-region", "global")]
DATA_WRITES = frozenset({"POST", "PUT"})


class Host(Protocol):
    """What the API needs to know of the server it runs in."""

    url: str
    grants: Grants

    def account(self, slug: str) -> LeverAccount | None:
        """Return an account by its slug."""


@dataclass(slots=True)
class Call:
    """One authenticated API call."""

    request: Request
    account: LeverAccount
    scopes: frozenset[str]
    base_url: str

    def allows(self, scope: str) -> bool:
        """Return whether the token holds a scope."""
        return has_scope(self.scopes, scope)

    def body(self) -> Json:
        """Return the JSON object sent; raises a 400 Refusal."""
        return self.request.json_object()

    def actor(self, *, required: bool = False) -> User | None:
        """Return the user named by perform_as; raises a 400 Refusal."""
        user_id = self.request.arg("perform_as")
        strict = self.account.settings.strict_perform_as and self.request.method in DATA_WRITES
        if not user_id:
            if required or strict:
                raise Refusal(400, "Missing required parameter: perform_as", "BadRequestError")
            return None
        user = self.account.users.get(user_id)
        if user is None or (strict and user.deactivated_at is not None):
            raise Refusal(400, f"perform_as: user {user_id} was not found", "BadRequestError")
        return user

    def opportunity(self) -> Opportunity:
        """Return the opportunity in the path; raises a 404 or 403 Refusal."""
        name = self.request.params["opportunity"]
        found = self.account.opportunities.get(name)
        if found is None:
            raise not_found("opportunities", name)
        if found.confidentiality == "confidential" and not self.allows("confidential:access"):
            raise Refusal(403, "You do not have access to this confidential opportunity", "Forbidden")
        return found


def not_found(kind: str, name: str) -> Refusal:
    """Return Lever's refusal for something that isn't there."""
    return Refusal(404, f"{kind} {name} was not found", "ResourceNotFound")


def data(value: object, status: int = 200) -> Response:
    """Return an object in Lever's envelope."""
    return json_response({"data": value}, status)


type Endpoint = Callable[[Call], Response]
type Table = list[tuple[str, str, str, Endpoint]]


class Api:
    """Registers the endpoint tables on a router and walks each call through the same checks."""

    def __init__(self, host: Host, router: Router) -> None:
        self._host = host
        self._router = router

    def register(self, table: Table) -> None:
        """Add endpoints: method, path under /v1, scope without its `:admin`, function."""
        for method, path, scope, endpoint in table:
            handler = self._handler(scope, endpoint)
            self._router.add(method, f"/v1{path}", handler, faultable=True, as_json=True)

    def _handler(self, scope: str, endpoint: Endpoint) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            token = self._host.grants.access(bearer(request))
            account = token and self._host.account(token.account)
            if not token or not account:
                raise Refusal(401, "The access token is missing, expired or revoked", "Unauthorized")
            with account.lock:
                try:
                    response = self._limited(request, account, token.scopes, scope, endpoint)
                except Refusal as refusal:
                    account.books.count_call(request.method, request.template, refusal.status)
                    raise
                account.books.count_call(request.method, request.template, response.status)
            response.headers += HEADERS
            return response

        return answer

    def _limited(
        self,
        request: Request,
        account: LeverAccount,
        scopes: frozenset[str],
        scope: str,
        endpoint: Endpoint,
    ) -> Response:
        if not account.bucket.take():
            response = json_response({"code": "RateLimitError", "message": "Too many requests"}, 429)
            if account.settings.retry_after:
                response.headers.append(("Retry-After", str(1 + int(account.bucket.wait_seconds()))))
            return response
        if not has_scope(scopes, scope):
            raise Refusal(403, f"The token lacks the scope {scope}:admin", "Forbidden")
        return endpoint(Call(request, account, scopes, self._host.url))


def bearer(request: Request) -> str:
    """Return the bearer token of a request, or an empty string."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.casefold() == "bearer" else ""
