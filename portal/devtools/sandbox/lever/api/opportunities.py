"""Opportunities: lists, single ones, new ones, and the calls that change their stage, tags and links."""

from collections.abc import Callable

from portal.devtools.sandbox.http.messages import HttpError, Response, json_response
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data
from portal.devtools.sandbox.lever.api.lists import indexed_candidates, opportunity_filters, page, time_span
from portal.devtools.sandbox.lever.api.serializers import (
    application_json,
    expanded,
    opportunity_json,
    without_contact,
)
from portal.devtools.sandbox.lever.behaviour import candidacies
from portal.devtools.sandbox.lever.state.records import Contact, Opportunity, canonical_email
from portal.devtools.sandbox.values import JsonObject, new_id, now_ms, pick, text_list

LONGEST_DELETED_MS = 30 * 24 * 3600 * 1000


def list_opportunities(call: Call) -> Response:
    """Answer a page of the opportunities that pass every filter."""
    confidentiality = call.request.args.get("confidentiality", "non-confidential")
    if confidentiality not in ("non-confidential", "confidential", "all"):
        raise HttpError(400, f"confidentiality {confidentiality} is not known", "BadRequestError")
    if confidentiality != "non-confidential" and not call.allows("confidential:access"):
        raise HttpError(403, "The token lacks the scope confidential:access:admin", "Forbidden")
    account = call.account
    filters = opportunity_filters(account, call.request)
    chosen = [
        opportunity
        for opportunity in indexed_candidates(account, call.request)
        if all(passes(opportunity) for passes in filters)
    ]
    return page(
        call.request,
        chosen,
        lambda item: (account.rank(item.stage), item.created_at, item.id),
        _serializer(call),
    )


def list_deleted_opportunities(call: Call) -> Response:
    """Answer a page of the opportunities deleted within the times, which are at most 30 days apart."""
    span = time_span(call.request, "deleted_at")
    if span is None or span[1] - span[0] > LONGEST_DELETED_MS:
        raise HttpError(400, "deleted_at_start and deleted_at_end: at most 30 days apart", "BadRequestError")
    chosen = [item for item in call.account.deleted.values() if span[0] <= (item.deleted_at or 0) <= span[1]]
    return page(
        call.request,
        chosen,
        lambda item: (0, item.deleted_at or 0, item.id),
        lambda item: {"id": item.id, "contact": item.contact_id, "deletedAt": item.deleted_at},
    )


def get_opportunity(call: Call) -> Response:
    """Answer one opportunity."""
    return data(_serializer(call)(call.opportunity()))


def list_applications(call: Call) -> Response:
    """Answer the application of an opportunity, as a list."""
    opportunity = call.opportunity()
    applications = [application_json(call.account, opportunity)] if opportunity.posting_id else []
    return json_response({"data": applications, "hasNext": False})


def create_opportunity(call: Call) -> Response:
    """Create an opportunity; a known e-mail address ties it to the existing contact."""
    actor = call.required_actor()
    body = call.body()
    account = call.account
    postings = text_list(body.get("postings"))
    if len(postings) > 1:
        raise HttpError(400, "postings: exactly one posting is allowed", "BadRequestError")
    stage = pick(body, "stage", str, "lead-new")
    if stage not in account.stages:
        raise HttpError(400, f"stages {stage} was not found", "BadRequestError")
    for posting in postings:
        if posting not in account.postings:
            raise HttpError(400, f"postings {posting} was not found", "BadRequestError")
    contact, deduped = _find_or_create_contact(call, body)
    created = Opportunity(
        new_id(),
        contact.id,
        stage,
        tags=list(dict.fromkeys(text_list(body.get("tags")))),
        sources=text_list(body.get("sources")),
        origin=pick(body, "origin", str, "sourced"),
        owner=pick(body, "owner", str, actor.id),
        followers=text_list(body.get("followers")),
        posting_id=postings[0] if postings else None,
        created_at=pick(body, "createdAt", int, now_ms()),
    )
    candidacies.create(account, created)
    created.writes["create"] += 1
    serialized = opportunity_json(account, created, call.base_url)
    return json_response({"deduped": deduped, "data": serialized}, 201)


def _find_or_create_contact(call: Call, body: JsonObject) -> tuple[Contact, bool]:
    """Return the contact a new opportunity is for, and whether it existed before."""
    account = call.account
    emails = text_list(body.get("emails"))
    contact_id = pick(body, "contact", str, "")
    if contact_id:
        if contact_id not in account.contacts:
            raise HttpError(400, f"contacts {contact_id} was not found", "BadRequestError")
        return account.contacts[contact_id], True
    for email in emails:
        known = account.contact_by_email.get(canonical_email(email))
        if known is not None:
            return known, True
    phones = [item for item in pick(body, "phones", list, []) if isinstance(item, dict)]
    contact = Contact(
        new_id(),
        pick(body, "name", str, ""),
        pick(body, "headline", str, ""),
        pick(body, "location", str, ""),
        emails,
        phones,
        text_list(body.get("links")),
    )
    account.add_contact(contact)
    return contact, False


def _serializer(call: Call) -> Callable[[Opportunity], JsonObject]:
    """Return the serializer for the `include` and `expand` that a call asks for."""
    expand, include = call.request.args.getlist("expand"), call.request.args.getlist("include")

    def serialize(opportunity: Opportunity) -> JsonObject:
        whole = opportunity_json(call.account, opportunity, call.base_url)
        if include:
            whole = {name: whole[name] for name in whole if name in include or name == "id"}
        return expanded(call.account, opportunity, whole, expand)

    return serialize


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
    Endpoint("GET", "/opportunities", "opportunities:read", list_opportunities),
    Endpoint("POST", "/opportunities", "opportunities:write", create_opportunity),
    Endpoint("GET", "/opportunities/deleted", "opportunities:read", list_deleted_opportunities),
    Endpoint("GET", "/opportunities/<opportunity>", "opportunities:read", get_opportunity),
    Endpoint("GET", "/opportunities/<opportunity>/applications", "applications:read", list_applications),
    Endpoint("PUT", "/opportunities/<opportunity>/stage", "opportunities:write", update_stage),
    Endpoint("POST", "/opportunities/<opportunity>/addTags", "opportunities:write", add_tags),
    Endpoint("POST", "/opportunities/<opportunity>/removeTags", "opportunities:write", remove_tags),
    Endpoint("POST", "/opportunities/<opportunity>/addLinks", "opportunities:write", add_links),
]
