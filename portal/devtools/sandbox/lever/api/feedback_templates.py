"""Feedback templates: exactly one score-system field, and new field ids with every update."""

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.json_values import pick
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data
from portal.devtools.sandbox.lever.api.paging import page
from portal.devtools.sandbox.lever.api.serializers.forms import template_json
from portal.devtools.sandbox.lever.behaviour.feedback_fields import build_fields
from portal.devtools.sandbox.lever.state.feedback import FeedbackTemplate
from portal.devtools.sandbox.times import now_ms


def list_templates(call: Call) -> Response:
    """Answer a page of the templates."""
    templates = list(call.account.templates.values())
    return page(call.request, templates, lambda item: (item.created_at, item.id), template_json)


def get_template(call: Call) -> Response:
    """Answer one template."""
    return data(template_json(_template(call)))


def create_template(call: Call) -> Response:
    """Create a template; names needn't be unique."""
    body = call.body()
    text = body.get("text")
    if not isinstance(text, str) or not text:
        raise HttpError(400, "Missing required parameter: text", "BadRequestError")
    fields = build_fields(body.get("fields"))
    template = FeedbackTemplate(new_id(), text, pick(body, "instructions", str, ""), fields)
    call.account.templates[template.id] = template
    return data(template_json(template), 201)


def update_template(call: Call) -> Response:
    """Update a template; every field is answered with a new id."""
    template = _template(call)
    body = call.body()
    template.fields = build_fields(body.get("fields", template.fields))
    template.text = pick(body, "text", str, template.text)
    template.instructions = pick(body, "instructions", str, template.instructions)
    template.updated_at = now_ms()
    return data(template_json(template))


def _template(call: Call) -> FeedbackTemplate:
    return call.find("template", "feedback_templates", call.account.templates)


ENDPOINTS = [
    Endpoint("GET", "/feedback_templates", "feedback_templates:read", list_templates),
    Endpoint("POST", "/feedback_templates", "feedback_templates:write", create_template),
    Endpoint("GET", "/feedback_templates/<template>", "feedback_templates:read", get_template),
    Endpoint("PUT", "/feedback_templates/<template>", "feedback_templates:write", update_template),
]
