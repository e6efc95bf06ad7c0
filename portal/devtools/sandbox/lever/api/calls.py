"""What every Lever API call goes through: token, rate limit, scope, and the ledger."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.devtools.sandbox.http.messages import (
    Handler,
    HttpError,
    Request,
    Response,
    Route,
    api_route,
    json_response,
)
from portal.devtools.sandbox.lever.behaviour.platform import LeverPlatform
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.grants import has_scope
from portal.devtools.sandbox.lever.state.records import Opportunity, User
from portal.devtools.sandbox.values import JsonObject

DATA_WRITES = frozenset({"POST", "PUT"})


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

    def body(self) -> JsonObject:
        """Return the JSON object sent; raises a 400 HttpError."""
        return self.request.json_object()

    def actor(self) -> User | None:
        """Return the user named by perform_as, None where none is named; raises a 400 HttpError."""
        return self.required_actor() if self._is_strict or self.request.args.get("perform_as") else None

    def required_actor(self) -> User:
        """Return the user named by perform_as; raises a 400 HttpError, also where none is named."""
        user_id = self.request.args.get("perform_as", "")
        if not user_id:
            raise HttpError(400, "Missing required parameter: perform_as", "BadRequestError")
        user = self.account.users.get(user_id)
        if user is None or (self._is_strict and user.deactivated_at is not None):
            raise HttpError(400, f"perform_as: user {user_id} was not found", "BadRequestError")
        return user

    @property
    def _is_strict(self) -> bool:
        return self.account.settings.strict_perform_as and self.request.method in DATA_WRITES

    def opportunity(self) -> Opportunity:
        """Return the opportunity in the path; raises a 404 or 403 HttpError."""
        opportunity = self.find("opportunity", "opportunities", self.account.opportunities)
        if opportunity.confidentiality == "confidential" and not self.allows("confidential:access"):
            raise HttpError(403, "You do not have access to this confidential opportunity", "Forbidden")
        return opportunity

    def find[T](self, parameter: str, collection: str, items: dict[str, T]) -> T:
        """Return the item whose id is a parameter of the path; raises a 404 HttpError."""
        item_id = self.request.path_params[parameter]
        if item_id not in items:
            raise not_found(collection, item_id)
        return items[item_id]


def not_found(collection: str, item_id: str) -> HttpError:
    """Return the error Lever answers for something that isn't there."""
    return HttpError(404, f"{collection} {item_id} was not found", "ResourceNotFound")


def data(value: object, status: int = 200) -> Response:
    """Return an object in Lever's envelope."""
    return json_response({"data": value}, status)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API: its path under /v1, its scope without `:admin`, and what answers it."""

    method: str
    path: str
    scope: str
    answer: Callable[[Call], Response]


class Api:
    """Makes routes of endpoints: each call goes through the same checks and is counted in the ledger."""

    def __init__(self, platform: LeverPlatform) -> None:
        self._platform = platform

    def routes(self, endpoints: list[Endpoint]) -> list[Route]:
        """Return the routes of endpoints."""
        return [
            api_route(endpoint.method, f"/v1{endpoint.path}", self._handler(endpoint))
            for endpoint in endpoints
        ]

    def _handler(self, endpoint: Endpoint) -> Handler:
        def answer(request: Request) -> Response:
            token = self._platform.grants.access(bearer_token(request))
            account = self._platform.accounts.get(token.account) if token else None
            if token is None or account is None:
                raise HttpError(401, "The request requires authentication.", "UnauthorizedError")
            call = Call(request, account, token.scopes, self._platform.url)
            with account.lock:
                try:
                    response = _limited(call, endpoint)
                except HttpError as error:
                    account.ledger.count_call(request.method, request.path_template, error.status)
                    raise
                account.ledger.count_call(request.method, request.path_template, response.status_code)
            response.headers["x-lever-region"] = "global"
            return response

        return answer


def _limited(call: Call, endpoint: Endpoint) -> Response:
    """Return the endpoint's answer, or a 429 beyond the rate limit; raises a 403 without the scope."""
    bucket = call.account.bucket
    if not bucket.take():
        response = json_response({"code": "RateLimitError", "message": "Too many requests"}, 429)
        if call.account.settings.retry_after:
            response.headers["Retry-After"] = str(1 + int(bucket.wait_seconds()))
        return response
    if not call.allows(endpoint.scope):
        raise HttpError(403, f"The token lacks the scope {endpoint.scope}:admin", "Forbidden")
    return endpoint.answer(call)


def bearer_token(request: Request) -> str:
    """Return the bearer token of a request, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""
