"""What the endpoints read of a body, with its types, and what they answer, as the OpenAPI document says it."""

from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ParseError

from integrations.http.json_values import JsonObject

#: A larger body is larger than any webhook.
MAX_BYTES = 256 * 1024
MAX_EVENT = 100


def malformed(detail: str) -> ParseError:
    """Return the refusal of a body."""
    return ParseError(detail, "malformed")


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


class Refusal(serializers.Serializer[Any]):
    """Why a webhook isn't accepted."""

    detail = serializers.CharField()
    code = serializers.CharField()


NOTHING = {"type": "object", "maxProperties": 0}
ANSWERS = {
    HTTPStatus.OK: OpenApiResponse(NOTHING, "Stored before, or Lever's test request."),
    HTTPStatus.ACCEPTED: OpenApiResponse(NOTHING, "Stored."),
    HTTPStatus.BAD_REQUEST: OpenApiResponse(Refusal, "Not a JSON object with fields of the right types."),
    HTTPStatus.UNAUTHORIZED: OpenApiResponse(Refusal, "Not verified; `code` is the reason."),
    HTTPStatus.NOT_FOUND: OpenApiResponse(Refusal, "No organization has this key."),
    HTTPStatus.METHOD_NOT_ALLOWED: OpenApiResponse(Refusal, "Only POST."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: OpenApiResponse(Refusal, "Over 256 KiB."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: OpenApiResponse(Refusal, "Not application/json in UTF-8."),
    HTTPStatus.SERVICE_UNAVAILABLE: OpenApiResponse(Refusal, "Nothing can be stored now; send it again."),
}
