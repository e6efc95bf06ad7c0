"""Feedback and its templates: exactly one score-system field, new field ids with every update of a template."""

from functools import partial

from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data, not_found, page
from portal.devtools.sandbox.lever.api.serializers import feedback_json, template_json, updated_feedback_json
from portal.devtools.sandbox.lever.records import (
    Feedback,
    FeedbackTemplate,
    Opportunity,
    build_fields,
    filled_in,
)
from portal.devtools.sandbox.messages import HttpError, Response
from portal.devtools.sandbox.values import new_id, now_ms, pick


def list_templates(call: Call) -> Response:
    """Answer a page of the templates."""
    templates = list(call.account.templates.values())
    return page(call.request, templates, lambda item: (item.created_at, item.id), template_json)


def get_template(call: Call) -> Response:
    """Answer one template."""
    return data(template_json(call.find("template", "feedback_templates", call.account.templates)))


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


def list_feedback(call: Call) -> Response:
    """Answer a page of an opportunity's feedback, deleted forms among it."""
    forms = list(call.opportunity().feedback.values())
    serialize = partial(feedback_json, is_of_score=_is_of_score(call))
    return page(call.request, forms, lambda form: (form.created_at, form.id), serialize)


def get_feedback(call: Call) -> Response:
    """Answer one form; a deleted one is still answered, with its deletedAt."""
    return data(feedback_json(_form(call, call.opportunity()), is_of_score=_is_of_score(call)))


def create_feedback(call: Call) -> Response:
    """Fill in a template."""
    actor = call.required_actor()
    opportunity = call.opportunity()
    body = call.body()
    template = call.account.templates.get(str(body.get("baseTemplateId", "")))
    if template is None:
        raise HttpError(400, "baseTemplateId: the feedback template was not found", "BadRequestError")
    if ("panel" in body) != ("interview" in body):
        raise HttpError(400, "panel and interview go together", "BadRequestError")
    empty = [field | {"value": None} for field in template.fields]
    now = now_ms()
    form = Feedback(
        new_id(),
        actor.id,
        template.id,
        template.text,
        template.instructions,
        filled_in(
            empty, body.get("fieldValues", []), ignores_unknown=call.account.settings.ignores_unknown_fields
        ),
        pick(body, "createdAt", int, now),
        pick(body, "completedAt", int, now),
    )
    opportunity.feedback[form.id] = form
    opportunity.mark_updated()
    opportunity.writes["feedback"] += 1
    return data(feedback_json(form, is_of_score=_is_of_score(call)), 201)


def update_feedback(call: Call) -> Response:
    """Change some values of a form; its field ids are those it was made with."""
    call.required_actor()
    opportunity = call.opportunity()
    form = _form(call, opportunity)
    if form.deleted_at is not None:
        raise not_found("feedback", form.id)
    body = call.body()
    form.fields = filled_in(form.fields, body.get("fieldValues", []))
    form.completed_at = pick(body, "completedAt", int, form.completed_at)
    form.updated_at = now_ms()
    opportunity.mark_updated()
    opportunity.writes["putFeedback"] += 1
    return data(updated_feedback_json(call.account, opportunity, form, is_of_score=_is_of_score(call)))


def _is_of_score(call: Call) -> bool:
    """Whether the answer to this call types a rating `score`, as the account's settings say."""
    return call.request.method in call.account.settings.answers_of_score.split()


def _form(call: Call, opportunity: Opportunity) -> Feedback:
    return call.find("feedback", "feedback", opportunity.feedback)


ENDPOINTS = [
    Endpoint("GET", "/feedback_templates", "feedback_templates:read", list_templates),
    Endpoint("POST", "/feedback_templates", "feedback_templates:write", create_template),
    Endpoint("GET", "/feedback_templates/<template>", "feedback_templates:read", get_template),
    Endpoint("GET", "/opportunities/<opportunity>/feedback", "feedback:read", list_feedback),
    Endpoint("POST", "/opportunities/<opportunity>/feedback", "feedback:write", create_feedback),
    Endpoint("GET", "/opportunities/<opportunity>/feedback/<feedback>", "feedback:read", get_feedback),
    Endpoint("PUT", "/opportunities/<opportunity>/feedback/<feedback>", "feedback:write", update_feedback),
]
