"""The write calls on an opportunity: stage, archive, tags, links, sources; and contacts."""

from portal.devtools.sandbox.http import Refusal, Response
from portal.devtools.sandbox.ids import Json, pick, text_list
from portal.devtools.sandbox.lever import moves
from portal.devtools.sandbox.lever.api import Call, Table, data, not_found
from portal.devtools.sandbox.lever.serializers import blanked, contact_json, opportunity_json
from portal.devtools.sandbox.lever.state import Opportunity


def put_stage(call: Call) -> Response:
    """Move an opportunity; an archived one moves too and stays archived."""
    actor = call.actor()
    item = call.opportunity()
    stage = call.body().get("stage")
    if not isinstance(stage, str) or stage not in call.account.stages:
        raise Refusal(400, f"stages {stage} was not found", "BadRequestError")
    moves.change_stage(call.account, item, stage, actor.id if actor else None)
    return _written(call, item, "stage")


def put_archived(call: Call) -> Response:
    """Archive an opportunity for a reason, or un-archive it with null."""
    call.actor()
    item = call.opportunity()
    body = call.body()
    if "reason" not in body:
        raise Refusal(400, "Missing required parameter: reason", "BadRequestError")
    reason = body["reason"]
    if reason is not None and (not isinstance(reason, str) or reason not in call.account.archive_reasons):
        raise Refusal(400, f"archive_reasons {reason} was not found", "BadRequestError")
    moves.set_archived(call.account, item, reason)
    return _written(call, item, "archived")


def add_tags(call: Call) -> Response:
    """Add tags; a new one comes into being by that."""
    call.actor()
    item = call.opportunity()
    moves.add_tags(call.account, item, _texts(call, "tags"))
    return _written(call, item, "addTags")


def remove_tags(call: Call) -> Response:
    """Remove tags; absent ones don't matter."""
    call.actor()
    item = call.opportunity()
    moves.remove_tags(call.account, item, _texts(call, "tags"))
    return _written(call, item, "removeTags")


def add_links(call: Call) -> Response:
    """Add links to the contact; the answer shows the contact's data, as Lever's does."""
    call.actor()
    item = call.opportunity()
    contact = call.account.contact_of(item)
    moves.change_links(call.account, contact, add=_texts(call, "links"), remove=[])
    item.writes["addLinks"] += 1
    return data(opportunity_json(call.account, item, call.base_url))


def remove_links(call: Call) -> Response:
    """Remove links from the contact."""
    call.actor()
    item = call.opportunity()
    contact = call.account.contact_of(item)
    moves.change_links(call.account, contact, add=[], remove=_texts(call, "links"))
    item.writes["removeLinks"] += 1
    return data(opportunity_json(call.account, item, call.base_url))


def add_sources(call: Call) -> Response:
    """Add sources."""
    call.actor()
    item = call.opportunity()
    new = [source for source in _texts(call, "sources") if source not in item.sources]
    item.sources += new
    call.account.source_counts.update(new)
    item.touch()
    return _written(call, item, "addSources")


def remove_sources(call: Call) -> Response:
    """Remove sources."""
    call.actor()
    item = call.opportunity()
    gone = [source for source in item.sources if source in _texts(call, "sources")]
    item.sources = [source for source in item.sources if source not in gone]
    call.account.source_counts.subtract(gone)
    item.touch()
    return _written(call, item, "removeSources")


def get_contact(call: Call) -> Response:
    """Answer one contact."""
    name = call.request.params["contact"]
    if name not in call.account.contacts:
        raise not_found("contacts", name)
    return data(contact_json(call.account.contacts[name]))


def put_contact(call: Call) -> Response:
    """Change a contact's own data."""
    name = call.request.params["contact"]
    contact = call.account.contacts.get(name)
    if contact is None:
        raise not_found("contacts", name)
    body = call.body()
    contact.name = pick(body, "name", str, contact.name)
    contact.headline = pick(body, "headline", str, contact.headline)
    contact.location = pick(body, "location", str, contact.location)
    phones: list[Json] = pick(body, "phones", list, contact.phones)
    contact.phones = phones
    if "emails" in body:
        call.account.set_emails(contact, text_list(body["emails"]))
    for item in call.account.by_contact[contact.id].values():
        item.touch()
    return data(contact_json(contact))


def _texts(call: Call, name: str) -> list[str]:
    value = call.body().get(name)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise Refusal(400, f"{name} must be a list of strings", "BadRequestError")
    return text_list(value)


def _written(call: Call, item: Opportunity, what: str) -> Response:
    item.writes[what] += 1
    return data(blanked(opportunity_json(call.account, item, call.base_url)))


TABLE: Table = [
    ("PUT", "/opportunities/<opportunity>/stage", "opportunities:write", put_stage),
    ("PUT", "/opportunities/<opportunity>/archived", "opportunities:write", put_archived),
    ("POST", "/opportunities/<opportunity>/addTags", "opportunities:write", add_tags),
    ("POST", "/opportunities/<opportunity>/removeTags", "opportunities:write", remove_tags),
    ("POST", "/opportunities/<opportunity>/addLinks", "opportunities:write", add_links),
    ("POST", "/opportunities/<opportunity>/removeLinks", "opportunities:write", remove_links),
    ("POST", "/opportunities/<opportunity>/addSources", "opportunities:write", add_sources),
    ("POST", "/opportunities/<opportunity>/removeSources", "opportunities:write", remove_sources),
    ("GET", "/contacts/<contact>", "contact:read", get_contact),
    ("PUT", "/contacts/<contact>", "contact:write", put_contact),
]
