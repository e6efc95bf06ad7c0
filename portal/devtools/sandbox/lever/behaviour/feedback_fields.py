"""The fields of feedback templates and forms: how they are made, and which values fit them."""

import copy

from portal.devtools.sandbox.http.messages import HttpError
from portal.devtools.sandbox.values import JsonObject, new_id, pick

RATINGS = ("4 - Strong Hire", "3 - Hire", "2 - No Hire", "1 - Strong No Hire")
FIELD_TYPES = frozenset(
    {
        "score-system",
        "score",
        "scorecard",
        "multiple-choice",
        "multiple-select",
        "dropdown",
        "yes-no",
        "text",
        "textarea",
        "date",
        "code",
    }
)
_SINGLE_CHOICE_TYPES = frozenset({"score-system", "multiple-choice", "dropdown"})
_OPTIONAL_KEYS = ("options", "prompt", "scores")


def build_fields(sent: object) -> list[JsonObject]:
    """Return template fields with new ids; raises a 400 HttpError."""
    if not isinstance(sent, list) or not all(isinstance(field, dict) for field in sent):
        raise HttpError(400, "fields must be a list of objects", "BadRequestError")
    if [field.get("type") for field in sent].count("score-system") != 1:
        message = "A feedback template must have exactly one score-system field"
        raise HttpError(400, message, "BadRequestError")
    return [_build_field(field) for field in sent]


def filled_in(fields: list[JsonObject], values: object, *, ignores_unknown: bool = False) -> list[JsonObject]:
    """Return copies of the fields with the values sent put in; raises a 400 HttpError."""
    if not isinstance(values, list):
        raise HttpError(400, "fieldValues must be a list", "BadRequestError")
    fields = copy.deepcopy(fields)
    by_id = {field["id"]: field for field in fields}
    for entry in values:
        field = by_id.get(entry.get("id")) if isinstance(entry, dict) else None
        if field is None and ignores_unknown:
            continue
        if field is None:
            raise HttpError(400, f"fieldValues: no field with the id of {entry}", "BadRequestError")
        value = entry.get("value")
        if value is not None and not _fits(field, value):
            message = f"fieldValues: {value!r} is not a value for {field['text']}"
            raise HttpError(400, message, "BadRequestError")
        field["value"] = value
    for field in fields:
        if field["required"] and field["value"] in (None, ""):
            raise HttpError(400, f"fieldValues: {field['text']} is required", "BadRequestError")
    return fields


def _build_field(sent: JsonObject) -> JsonObject:
    field_type = sent.get("type")
    if field_type not in FIELD_TYPES:
        raise HttpError(400, f"field type {field_type} is not known", "BadRequestError")
    field: JsonObject = {
        "id": new_id(),
        "type": field_type,
        "text": pick(sent, "text", str, ""),
        "description": pick(sent, "description", str, ""),
        "required": pick(sent, "required", bool, False),
    }
    field |= {name: sent[name] for name in _OPTIONAL_KEYS if name in sent}
    if field_type == "score-system":
        field["prompt"] = "Select one"
        field["options"] = [{"text": text} for text in RATINGS]
    return field


def _fits(field: JsonObject, value: object) -> bool:
    """Return whether a value is of the form that a field's type takes."""
    options: list[object] = pick(field, "options", list, [])
    texts = {option.get("text") if isinstance(option, dict) else option for option in options}
    match field["type"]:
        case field_type if field_type in _SINGLE_CHOICE_TYPES:
            return isinstance(value, str) and value in texts
        case "multiple-select":
            return isinstance(value, list) and all(item in texts for item in value)
        case "yes-no":
            return value in ("yes", "no")
        case "score":
            return value in (1, 2, 3, 4)
        case "date":
            return isinstance(value, int)
        case "scorecard":
            return isinstance(value, list)
    return isinstance(value, str)
