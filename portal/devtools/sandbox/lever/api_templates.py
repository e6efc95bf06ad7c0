"""Feedback templates: exactly one score-system field, and new field ids with every update."""

from portal.devtools.sandbox.http import Refusal, Response, json_response
from portal.devtools.sandbox.ids import Json, new_id, now_ms, pick
from portal.devtools.sandbox.lever.api import Call, Table, data, not_found
from portal.devtools.sandbox.lever.paging import page
from portal.devtools.sandbox.lever.serializers_forms import template_json
from portal.devtools.sandbox.lever.state import FeedbackTemplate

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
_EXTRAS = ("options", "prompt", "scores")


def build_fields(sent: object) -> list[Json]:
    """Return template fields with fresh ids; raises a 400 Refusal."""
    if not isinstance(sent, list) or not all(isinstance(field, dict) for field in sent):
        raise Refusal(400, "fields must be a list of objects", "BadRequestError")
    if [field.get("type") for field in sent].count("score-system") != 1:
        message = "A feedback template must have exactly one score-system field"
        raise Refusal(400, message, "BadRequestError")
    return [_field(field) for field in sent]


def list_templates(call: Call) -> Response:
    """Answer a page of the templates."""
    templates = list(call.account.templates.values())
    return json_response(
        page(call.request, templates, lambda item: (item.created_at, item.id), template_json)
    )


def get_template(call: Call) -> Response:
    """Answer one template."""
    return data(template_json(_template(call)))


def create_template(call: Call) -> Response:
    """Create a template; names needn't be unique."""
    body = call.body()
    text = body.get("text")
    if not isinstance(text, str) or not text:
        raise Refusal(400, "Missing required parameter: text", "BadRequestError")
    fields = build_fields(body.get("fields"))
    made = FeedbackTemplate(new_id(), text, pick(body, "instructions", str, ""), fields)
    call.account.templates[made.id] = made
    return data(template_json(made), 201)


def put_template(call: Call) -> Response:
    """Update a template; every field comes back with a new id."""
    template = _template(call)
    body = call.body()
    template.fields = build_fields(body.get("fields", template.fields))
    template.text = pick(body, "text", str, template.text)
    template.instructions = pick(body, "instructions", str, template.instructions)
    template.updated_at = now_ms()
    return data(template_json(template))


def delete_template(call: Call) -> Response:
    """Delete a template made through the API."""
    template = _template(call)
    if not template.by_api:
        raise Refusal(403, "Only templates created through the API can be deleted through it", "Forbidden")
    del call.account.templates[template.id]
    return Response(204)


def _template(call: Call) -> FeedbackTemplate:
    name = call.request.params["template"]
    if name not in call.account.templates:
        raise not_found("feedback_templates", name)
    return call.account.templates[name]


def _field(sent: Json) -> Json:
    kind = sent.get("type")
    if kind not in FIELD_TYPES:
        raise Refusal(400, f"field type {kind} is not known", "BadRequestError")
    field: Json = {
        "id": new_id(),
        "type": kind,
        "text": pick(sent, "text", str, ""),
        "description": pick(sent, "description", str, ""),
        "required": pick(sent, "required", bool, False),
    }
    field |= {name: sent[name] for name in _EXTRAS if name in sent}
    if kind == "score-system":
        field["prompt"] = "Select one"
        field["options"] = [{"text": text} for text in RATINGS]
    return field


TABLE: Table = [
    ("GET", "/feedback_templates", "feedback_templates:read", list_templates),
    ("POST", "/feedback_templates", "feedback_templates:write", create_template),
    ("GET", "/feedback_templates/<template>", "feedback_templates:read", get_template),
    ("PUT", "/feedback_templates/<template>", "feedback_templates:write", put_template),
    ("DELETE", "/feedback_templates/<template>", "feedback_templates:write", delete_template),
]
