"""The calls that change an opportunity: stage, tags, links."""

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.json_values import text_list
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data
from portal.devtools.sandbox.lever.api.serializers.opportunities import opportunity_json, without_contact
from portal.devtools.sandbox.lever.behaviour import candidacies
from portal.devtools.sandbox.lever.state.opportunity import Opportunity


def update_stage(call: Call) -> Response:
    """Move an opportunity; an archived one moves too and stays archived."""
    actor = call.actor()
    opportunity = call.opportunity()
    stage = call.body().get("stage")
    if not isinstance(stage, str) or stage not in call.account.stages:
        raise HttpError(400, f"stages {stage} was not found", "BadRequestError")
    candidacies.change_stage(call.account, opportunity, stage, actor.id if actor else None)
    return _written(call, opportunity, "stage")


def add_tags(call: Call) -> Response:
    """Add tags; a new one comes into being by that."""
    call.actor()
    opportunity = call.opportunity()
    candidacies.add_tags(call.account, opportunity, _texts(call, "tags"))
    return _written(call, opportunity, "addTags")


def remove_tags(call: Call) -> Response:
    """Remove tags; absent ones don't matter."""
    call.actor()
    opportunity = call.opportunity()
    candidacies.remove_tags(call.account, opportunity, _texts(call, "tags"))
    return _written(call, opportunity, "removeTags")


def add_links(call: Call) -> Response:
    """Add links to the contact; the answer shows the contact's data, as Lever's does."""
    call.actor()
    opportunity = call.opportunity()
    candidacies.add_links(call.account, call.account.contact_of(opportunity), _texts(call, "links"))
    opportunity.writes["addLinks"] += 1
    return data(opportunity_json(call.account, opportunity, call.base_url))


def _texts(call: Call, name: str) -> list[str]:
    value = call.body().get(name)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise HttpError(400, f"{name} must be a list of strings", "BadRequestError")
    return text_list(value)


def _written(call: Call, opportunity: Opportunity, write: str) -> Response:
    opportunity.writes[write] += 1
    return data(without_contact(opportunity_json(call.account, opportunity, call.base_url)))


ENDPOINTS = [
    Endpoint("PUT", "/opportunities/<opportunity>/stage", "opportunities:write", update_stage),
    Endpoint("POST", "/opportunities/<opportunity>/addTags", "opportunities:write", add_tags),
    Endpoint("POST", "/opportunities/<opportunity>/removeTags", "opportunities:write", remove_tags),
    Endpoint("POST", "/opportunities/<opportunity>/addLinks", "opportunities:write", add_links),
]
