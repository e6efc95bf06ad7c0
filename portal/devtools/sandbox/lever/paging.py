"""Lever's pages of results: a limit and an opaque offset."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, unquote

from portal.devtools.sandbox.http import Refusal, Request
from portal.devtools.sandbox.ids import Json

MAX_LIMIT = 100


def page[T](
    request: Request,
    items: Sequence[T],
    key: Callable[[T], tuple[Any, ...]],
    shape: Callable[[T], Json],
) -> Json:
    """Return one page of the items, in the order of their keys, as Lever wraps it."""
    limit = read_limit(request)
    ordered = sorted(items, key=key)
    offset = request.arg("offset")
    if offset:
        after = read_offset(offset)
        try:
            ordered = [item for item in ordered if key(item) > after]
        except TypeError:
            raise bad_offset() from None
    chosen = ordered[:limit]
    has_next = len(ordered) > limit
    answer: Json = {"data": [shape(item) for item in chosen], "hasNext": has_next}
    if has_next:
        answer["next"] = write_offset(key(chosen[-1]))
    return answer


def read_limit(request: Request) -> int:
    """Return the limit asked for; raises a 400 Refusal outside 1 to 100."""
    text = request.arg("limit", str(MAX_LIMIT))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise Refusal(400, "limit must be between 1 and 100", "BadRequestError")
    return int(text)


def write_offset(key: tuple[Any, ...]) -> str:
    """Return the token for what follows a key: a percent-encoded JSON array, as Lever's look today."""
    return quote(json.dumps(key, separators=(",", ":")), safe="")


def read_offset(token: str) -> tuple[Any, ...]:
    """Return the key in a token; raises a 400 Refusal."""
    try:
        value = json.loads(unquote(token))
    except ValueError:
        raise bad_offset() from None
    if not isinstance(value, list) or not value:
        raise bad_offset()
    return tuple(value)


def bad_offset() -> Refusal:
    """Return the refusal of a token Lever didn't give out."""
    return Refusal(400, "Invalid offset token", "BadRequestError")
