"""The OpenAPI description of the webhook endpoints, for the tests alone."""

from typing import Any

from integrations.webhooks.bodies import MAX_EVENT

ANSWERS = {
    "200": "Seen before, or Lever's test request.",
    "202": "Stored.",
    "400": "Not a JSON object of the right types.",
    "401": "Not verified; `code` is the reason.",
    "404": "No organization has this key.",
    "405": "Only POST.",
    "413": "Over 256 KiB.",
    "415": "Not application/json.",
    "503": "The database can't commit; send it again.",
}
REFUSED = {
    "type": "object",
    "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
    "required": ["detail", "code"],
    "additionalProperties": False,
}
EMPTY = {"type": "object", "maxProperties": 0}
EVENT = {"type": "string", "minLength": 1, "maxLength": MAX_EVENT}


def _ids(longest: int, *names: str) -> dict[str, Any]:
    value = {"type": ["string", "null"], "maxLength": longest}
    return dict.fromkeys(names, value)


LEVER = {
    "type": "object",
    "properties": {
        **_ids(200, "id"),
        "event": EVENT,
        "triggeredAt": {"type": "integer"},
        "token": {"type": "string", "minLength": 1},
        "signature": {"type": "string", "minLength": 1},
        "data": {
            "type": ["object", "null"],
            "properties": _ids(200, "opportunityId", "candidateId", "contactId", "toStageId", "fromStageId"),
        },
    },
    "required": ["event", "triggeredAt", "token", "signature"],
}
CODESCREEN = {
    "type": "object",
    "properties": {
        "type": EVENT,
        "data": {"type": "object", "properties": _ids(300, "assessmentInstanceId")},
    },
    "required": ["type", "data"],
}


def _operation(operation_id: str, body: dict[str, Any]) -> dict[str, Any]:
    answers = {
        status: {
            "description": description,
            "content": {"application/json": {"schema": EMPTY if status < "300" else REFUSED}},
        }
        for status, description in ANSWERS.items()
    }
    return {
        "post": {
            "operationId": operation_id,
            "parameters": [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}],
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": answers,
        }
    }


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of both endpoints."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Webhooks", "version": "1"},
        "paths": {
            "/webhooks/lever/{key}/": _operation("lever_webhook", LEVER),
            "/webhooks/codescreen/{key}/": _operation("codescreen_webhook", CODESCREEN),
        },
    }
