"""Feedback on an opportunity: a filled-in template; every write needs perform_as."""

import copy
from typing import Any

from portal.devtools.sandbox.http import Refusal, Response, json_response
from portal.devtools.sandbox.ids import Json, new_id, now_ms, pick
from portal.devtools.sandbox.lever.api import Call, Table, data, not_found
from portal.devtools.sandbox.lever.paging import page
from portal.devtools.sandbox.lever.serializers_forms import feedback_json, internal_feedback_json
from portal.devtools.sandbox.lever.state import Feedback, Opportunity

_CHOICES = frozenset({"score-system", "multiple-choice", "dropdown"})


def list_feedback(call: Call) -> Response:
    """Answer a page of an opportunity's feedback."""
    keep_deleted = call.account.settings.list_deleted_feedback
    forms = [form for form in call.opportunity().feedback.values() if keep_deleted or form.deleted_at is None]
    return json_response(page(call.request, forms, lambda form: (form.created_at, form.id), feedback_json))


def get_feedback(call: Call) -> Response:
    """Answer one form; a deleted one is still answered, with its deletedAt."""
    return data(feedback_json(_form(call, call.opportunity())))


def create_feedback(call: Call) -> Response:
    """Fill in a template."""
    actor = call.actor(required=True)
    item = call.opportunity()
    body = call.body()
    template = call.account.templates.get(str(body.get("baseTemplateId", "")))
    if template is None:
        raise Refusal(400, "baseTemplateId: the feedback template was not found", "BadRequestError")
    if ("panel" in body) != ("interview" in body):
        raise Refusal(400, "panel and interview go together", "BadRequestError")
    fields = copy.deepcopy(template.fields)
    for field in fields:
        field["value"] = None
    fill(fields, body.get("fieldValues", []))
    _require(fields)
    now = now_ms()
    form = Feedback(
        new_id(),
        actor.id if actor else "",
        template.id,
        template.text,
        template.instructions,
        fields,
        pick(body, "createdAt", int, now),
        pick(body, "completedAt", int, now),
    )
    item.feedback[form.id] = form
    item.touch()
    item.writes["feedback"] += 1
    return data(feedback_json(form), 201)


def put_feedback(call: Call) -> Response:
    """Change some values of a form; its field ids are those it was made with."""
    call.actor(required=True)
    item = call.opportunity()
    form = _form(call, item)
    if form.deleted_at is not None:
        raise not_found("feedback", form.id)
    body = call.body()
    fields = copy.deepcopy(form.fields)
    fill(fields, body.get("fieldValues", []))
    _require(fields)
    form.fields = fields
    form.completed_at = pick(body, "completedAt", int, form.completed_at)
    form.updated_at = now_ms()
    item.touch()
    item.writes["putFeedback"] += 1
    return data(internal_feedback_json(call.account, item, form))


def delete_feedback(call: Call) -> Response:
    """Mark a form as deleted."""
    call.actor(required=True)
    item = call.opportunity()
    form = _form(call, item)
    form.deleted_at = form.deleted_at or now_ms()
    item.touch()
    item.writes["deleteFeedback"] += 1
    return Response(204)


def fill(fields: list[Json], values: object) -> None:
    """Put the values sent into the fields; raises a 400 Refusal."""
    if not isinstance(values, list):
        raise Refusal(400, "fieldValues must be a list", "BadRequestError")
    by_id = {field["id"]: field for field in fields}
    for entry in values:
        field = by_id.get(entry.get("id")) if isinstance(entry, dict) else None
        if field is None:
            raise Refusal(400, f"fieldValues: no field with the id of {entry}", "BadRequestError")
        value = entry.get("value")
        if value is not None and not _fits(field, value):
            raise Refusal(
                400, f"fieldValues: {value!r} is not a value for {field['text']}", "BadRequestError"
            )
        field["value"] = value


def _fits(field: Json, value: Any) -> bool:
    kind = field["type"]
    options = {option.get("text") if isinstance(option, dict) else option for option in _options(field)}
    if kind in _CHOICES:
        return isinstance(value, str) and value in options
    if kind == "multiple-select":
        return isinstance(value, list) and all(item in options for item in value)
    if kind == "yes-no":
        return value in ("yes", "no")
    if kind == "score":
        return value in (1, 2, 3, 4)
    if kind == "date":
        return isinstance(value, int)
    return isinstance(value, list) if kind == "scorecard" else isinstance(value, str)


def _options(field: Json) -> list[Any]:
    options: list[Any] = pick(field, "options", list, [])
    return options


def _require(fields: list[Json]) -> None:
    for field in fields:
        if field["required"] and field["value"] in (None, ""):
            raise Refusal(400, f"fieldValues: {field['text']} is required", "BadRequestError")


def _form(call: Call, item: Opportunity) -> Feedback:
    name = call.request.params["feedback"]
    if name not in item.feedback:
        raise not_found("feedback", name)
    return item.feedback[name]


TABLE: Table = [
    ("GET", "/opportunities/<opportunity>/feedback", "feedback:read", list_feedback),
    ("POST", "/opportunities/<opportunity>/feedback", "feedback:write", create_feedback),
    ("GET", "/opportunities/<opportunity>/feedback/<feedback>", "feedback:read", get_feedback),
    ("PUT", "/opportunities/<opportunity>/feedback/<feedback>", "feedback:write", put_feedback),
    ("DELETE", "/opportunities/<opportunity>/feedback/<feedback>", "feedback:write", delete_feedback),
]
