"""The bodies of webhooks: read within bounds, parsed strictly, with the types of the fields that are read."""

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse, UnreadablePostError

from integrations.http.json_values import JsonObject

MAX_BYTES = 256 * 1024
DISCARD_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
UTF8_NAMES = frozenset({"utf-8", "utf8"})
MAX_DEPTH = 100
MAX_EVENT = 100
#: A webhook has some dozens of values. To decode 87,000 takes a second of a body that nobody has signed yet, so what
#: separates values is counted first, also inside texts; prose that fills a whole body has less than half of this.
MOST_SEPARATORS = 10_000
_SEPARATORS = (b"{", b"[", b",", b":")


class Refusal(Exception):
    """Why a request isn't accepted: the status of the answer, a sentence and a code."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self._status = status
        self._code = code
        self._headers = headers

    def answer(self) -> JsonResponse:
        return JsonResponse(
            {"detail": str(self), "code": self._code}, status=self._status, headers=self._headers
        )


def read_body(request: HttpRequest) -> bytes:
    """Return the raw body. Raises Refusal: too large, then of another type than JSON in UTF-8, or incomplete."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    try:
        if length > MAX_BYTES:
            # read and dropped: else the sender would see a broken connection instead of the answer
            left = min(length, DISCARD_BYTES)
            while left > 0 and (chunk := request.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
            raise Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "The body is larger than 256 KiB."
            )
        body = request.body
    except UnreadablePostError as error:
        raise _malformed("The body broke off.") from error
    charset = (request.content_params or {}).get("charset", "utf-8").strip(" '").lower()
    if request.content_type != "application/json" or charset not in UTF8_NAMES:
        detail = "The body's media type must be application/json, in UTF-8."
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    return body


def _malformed(detail: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "malformed", detail)


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises Refusal for what can't be stored or is ambiguous.

    Refused besides malformed JSON: NaN and Infinity, duplicate keys, NUL, lone surrogates, nesting over MAX_DEPTH,
    bytes that aren't UTF-8. PostgreSQL can't store some of these, and none has one clear meaning. A body of very many
    values is refused before it is decoded.
    """
    if sum(body.count(separator) for separator in _SEPARATORS) > MOST_SEPARATORS:
        raise _malformed("The body holds more values than any webhook.")
    try:
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        # only an escape makes a NUL or a lone surrogate, and what is nested deeply has many brackets
        if b"\\u" in body or body.count(b"{") + body.count(b"[") > MAX_DEPTH:
            _check(document, 1)
    except (ValueError, RecursionError) as error:
        raise _malformed("The body is not a JSON object that can be stored.") from error
    if not isinstance(document, dict):
        raise _malformed("The body is not a JSON object that can be stored.")
    return document


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("duplicate key")
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _check(value: Any, depth: int) -> None:
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        raise ValueError("too deep")
    if isinstance(value, str):
        value.encode("utf-8")  # a lone surrogate has no encoding
        if "\x00" in value:
            raise ValueError("NUL")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth + 1)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def require_lever_types(payload: JsonObject) -> None:
    """Raise Refusal when a field that is read of Lever's has another type. A test request may have null for data.

    The types of `triggeredAt` and `signature` are part of what the signature proves.
    """
    require_text(payload, "event", MAX_EVENT)
    require_text(payload, "token", MAX_BYTES)
    require_ids(payload, ("id",), 200)
    require_ids(payload.get("data"), _LEVER_IDS, 200, may_be_null=True)


_LEVER_IDS = ("opportunityId", "candidateId", "contactId", "toStageId", "fromStageId")


def require_text(payload: JsonObject, name: str, longest: int) -> None:
    """Raise Refusal unless the field is a text that isn't empty, of at most so many characters."""
    value = payload.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise _malformed(f"{name} must be a text of 1 to {longest} characters.")


def require_ids(holder: object, names: tuple[str, ...], longest: int, *, may_be_null: bool = False) -> None:
    """Raise Refusal unless the holder is an object whose ids are absent, null or texts."""
    if holder is None and may_be_null:
        return
    if not isinstance(holder, dict):
        raise _malformed("data must be an object.")
    for name in names:
        value = holder.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > longest):
            raise _malformed(f"{name} must be a text of at most {longest} characters.")
