"""Lever's pages of results: a limit and an opaque offset."""

import json
from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response, json_response
from portal.devtools.sandbox.json_values import JsonObject

MAX_LIMIT = 100

type SortKey = tuple[str | int, ...]


def page[T](
    request: Request,
    items: Sequence[T],
    key: Callable[[T], SortKey],
    serialize: Callable[[T], JsonObject],
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
        answer["next"] = _write_offset(key(chosen[-1]))
    return json_response(answer)


def _read_limit(request: Request) -> int:
    """Return the limit asked for; raises a 400 HttpError outside 1 to 100."""
    text = request.args.get("limit", str(MAX_LIMIT))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise HttpError(400, "limit must be between 1 and 100", "BadRequestError")
    return int(text)


def _write_offset(key: SortKey) -> str:
    """Return the token of what follows a key: a percent-encoded JSON array, as Lever's are today."""
    return quote(json.dumps(key, separators=(",", ":")), safe="")


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
