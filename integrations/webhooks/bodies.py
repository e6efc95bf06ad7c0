"""The bodies of webhooks: read within bounds, parsed strictly, with the types of the fields that are read."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import IO, Any, cast

from django.http import UnreadablePostError
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from integrations.http.json_values import JsonObject

MAX_BYTES = 256 * 1024
DISCARD_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
JSON = "application/json"
UTF8_NAMES = frozenset({"utf-8", "utf8"})
MAX_DEPTH = 100
MAX_EVENT = 100
#: A webhook has some dozens of values. To decode 87,000 takes a second of a body that nobody has signed yet, so what
#: separates values is counted first, also inside texts; prose that fills a whole body has less than half of this.
MOST_SEPARATORS = 10_000
_SEPARATORS = (b"{", b"[", b",", b":")


class TooLarge(APIException):
    """The body is larger than any webhook."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is larger than 256 KiB."
    default_code = "too_large"


def malformed(detail: str) -> ParseError:
    """Return the refusal of a body."""
    return ParseError(detail, "malformed")


def require_json(request: Request) -> None:
    """Read the body. Raises TooLarge, then ParseError when it broke off, then UnsupportedMediaType."""
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
            raise TooLarge
        _ = request.body  # Django keeps it
    except UnreadablePostError as error:
        raise malformed("The body broke off.") from error
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    charset = (request.content_params or {}).get("charset", "utf-8").strip(" '").lower()
    if media_type != JSON or charset not in UTF8_NAMES:
        raise UnsupportedMediaType(media_type, "The body's media type must be application/json, in UTF-8.")


def payload_of(request: Request) -> JsonObject:
    """Return the JSON object in the body, which is parsed once. Raises ParseError as `parse` does."""
    # DRF takes an empty body for an empty object
    return cast(JsonObject, request.data) if request.body else parse(b"")


class StrictJSONParser(BaseParser):
    """Parses a body as `parse` does."""

    media_type = JSON

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return parse(stream.read())


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises ParseError for what can't be stored or is ambiguous.

    Refused besides malformed JSON: NaN and Infinity, duplicate keys, NUL, lone surrogates, nesting over MAX_DEPTH,
    bytes that aren't UTF-8. PostgreSQL can't store some of these, and none has one clear meaning. A body of very many
    values is refused before it is decoded.
    """
    if sum(body.count(separator) for separator in _SEPARATORS) > MOST_SEPARATORS:
        raise malformed("The body holds more values than any webhook.")
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
        raise malformed("The body is not a JSON object that can be stored.") from error
    if not isinstance(document, dict):
        raise malformed("The body is not a JSON object that can be stored.")
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


def _text(longest: int, *, may_lack: bool = False) -> serializers.CharField:
    return serializers.CharField(
        max_length=longest, required=not may_lack, allow_null=may_lack, allow_blank=may_lack
    )


def _ids(longest: int, *names: str) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {name: _text(longest, may_lack=True) for name in names}


# What is read of the bodies.
LEVER_BODY = inline_serializer(
    "LeverWebhook",
    {
        **_ids(200, "id"),
        "event": _text(MAX_EVENT),
        "triggeredAt": serializers.IntegerField(),
        "token": _text(MAX_BYTES),
        "signature": _text(MAX_BYTES),
        "data": inline_serializer(
            "LeverWebhookData",
            _ids(200, "opportunityId", "candidateId", "contactId", "toStageId", "fromStageId"),
            required=False,
            allow_null=True,  # a test request may have null
        ),
    },
)
CODESCREEN_BODY = inline_serializer(
    "CodeScreenWebhook",
    {
        "type": _text(MAX_EVENT),
        "data": inline_serializer("CodeScreenWebhookData", _ids(300, "assessmentInstanceId")),
    },
)


def require_types(body: serializers.Serializer[Any], payload: JsonObject) -> None:
    """Raise ParseError when a text, an id or an object is missing or has another type.

    Validation by the serializer takes as long as the signature, and takes numbers for texts.
    """
    for name, field in _fields_of(body):
        value = payload.get(name)
        if value is None and not field.required:
            continue
        if isinstance(field, serializers.Serializer):
            if not isinstance(value, dict):
                raise malformed(f"{name} must be an object.")
            require_types(field, value)
        elif isinstance(field, serializers.CharField):
            longest = field.max_length or 0
            if not isinstance(value, str) or len(value) > longest or not (value or field.allow_blank):
                raise malformed(f"{name} must be a text of at most {longest} characters.")


@cache
def _fields_of(
    body: serializers.Serializer[Any],
) -> Sequence[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
    return tuple(body.fields.items())
