"""What every Lever API call goes through: token or key, rate limit, scope; lists' pages and filters."""

import binascii
import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.grants import ApiKey, Grant, has_scope
from portal.devtools.sandbox.lever.platform import LeverPlatform
from portal.devtools.sandbox.lever.records import Opportunity, User, canonical_email
from portal.devtools.sandbox.messages import (
    Handler,
    HttpError,
    Request,
    Response,
    Route,
    json_response,
)
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
    """Makes routes of endpoints: each call goes through the same checks."""

    def __init__(self, platform: LeverPlatform) -> None:
        self._platform = platform

    def routes(self, endpoints: list[Endpoint]) -> list[Route]:
        """Return the routes of endpoints."""
        return [
            Route(endpoint.method, f"/v1{endpoint.path}", self._handler(endpoint)) for endpoint in endpoints
        ]

    def _handler(self, endpoint: Endpoint) -> Handler:
        def answer(request: Request) -> Response:
            caller = caller_of(self._platform, request)
            account = self._platform.accounts.get(caller.account) if caller else None
            if caller is None or account is None or account.settings.region != region_of(request):
                raise HttpError(401, "The request requires authentication.", "UnauthorizedError")
            call = Call(request, account, caller.scopes, self._platform.url)
            with account.lock:
                response = _limited(call, endpoint)
            response.headers["x-lever-region"] = account.settings.region
            return response

        return answer


def _limited(call: Call, endpoint: Endpoint) -> Response:
    """Return the endpoint's answer, or a 429 beyond the rate limit; raises a 403 without the scope."""
    if not call.account.bucket.take():
        return json_response({"code": "RateLimitError", "message": "Too many requests"}, 429)
    if not call.allows(endpoint.scope):
        raise HttpError(403, f"The credentials lack the scope {endpoint.scope}:admin", "Forbidden")
    return endpoint.answer(call)


def caller_of(platform: LeverPlatform, request: Request) -> Grant | ApiKey | None:
    """Return the grant of a request's token, or the API key that it has for a user name; None without a valid one."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return platform.grants.access(credentials.strip())
    if scheme.casefold() != "basic":
        return None
    try:
        key, _, password = b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return None if password else platform.grants.key(key)


def region_of(request: Request) -> str:
    """Return the region that a request is for: under the name `localhost` the same server is the EU's."""
    return "eu" if request.host.partition(":")[0] == "localhost" else "global"


MAX_LIMIT = 100

type SortKey = tuple[str | int, ...]


def page[T](
    request: Request, items: Sequence[T], key: Callable[[T], SortKey], serialize: Callable[[T], JsonObject]
) -> Response:
    """Return the page of items that a request asks for, in the order of their keys, as Lever wraps it."""
    limit = _read_limit(request)
    ordered = sorted(items, key=key)
    offset = request.args.get("offset", "")
    if offset:
        after = _read_offset(offset)
        try:
            ordered = [item for item in ordered if key(item) > after]
        except TypeError:
            raise _bad_offset() from None
    chosen = ordered[:limit]
    has_next = len(ordered) > limit
    answer: JsonObject = {"data": [serialize(item) for item in chosen], "hasNext": has_next}
    if has_next:
        # a percent-encoded JSON array, as Lever's tokens are today
        answer["next"] = quote(json.dumps(key(chosen[-1]), separators=(",", ":")), safe="")
    return json_response(answer)


def _read_limit(request: Request) -> int:
    """Return the limit asked for; raises a 400 HttpError outside 1 to 100."""
    text = request.args.get("limit", str(MAX_LIMIT))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise HttpError(400, "limit must be between 1 and 100", "BadRequestError")
    return int(text)


def _read_offset(token: str) -> SortKey:
    """Return the key in a token; raises a 400 HttpError."""
    try:
        key = json.loads(unquote(token))
    except ValueError:
        raise _bad_offset() from None
    if not isinstance(key, list) or not key:
        raise _bad_offset()
    return tuple(key)


def _bad_offset() -> HttpError:
    """Return the error that answers a token Lever didn't give out."""
    return HttpError(400, "Invalid offset token", "BadRequestError")


LATEST_MS = 1 << 62

type Filter = Callable[[Opportunity], bool]


def opportunity_filters(account: LeverAccount, request: Request) -> list[Filter]:
    """Return one filter per parameter the request names, and that of confidentiality; values of one form a union."""
    emails = {canonical_email(email) for email in request.args.getlist("email")}
    stages, archived = request.args.getlist("stage_id"), request.args.getlist("archived")
    span = time_span(request, "updated_at")
    filters: list[Filter] = [lambda item: item.confidentiality != "confidential"]
    if emails:
        filters.append(
            lambda item: not emails.isdisjoint(map(canonical_email, account.contact_of(item).emails))
        )
    if stages:
        filters.append(lambda item: item.stage in stages)
    if archived:
        filters.append(lambda item: ("true" if item.archived else "false") in archived)
    if span is not None:
        filters.append(lambda item: span[0] <= item.updated_at <= span[1])
    return filters


def time_span(request: Request, name: str) -> tuple[int, int] | None:
    """Return the times between a filter's `…_start` and `…_end`, both inclusive, or None for neither.

    Raises a 400 HttpError for what isn't a time in milliseconds.
    """
    start, end = _milliseconds(request, f"{name}_start"), _milliseconds(request, f"{name}_end")
    if start is None and end is None:
        return None
    return start or 0, LATEST_MS if end is None else end


def _milliseconds(request: Request, name: str) -> int | None:
    text = request.args.get(name, "")
    if text and not (text.isascii() and text.isdigit()):
        raise HttpError(400, f"{name} must be milliseconds", "BadRequestError")
    return int(text) if text else None
