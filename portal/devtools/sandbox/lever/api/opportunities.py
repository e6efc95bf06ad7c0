"""Opportunities, the calls that change their stage, tags and links, and their notes, files and interviews."""

from collections.abc import Callable
from functools import partial

from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.api.calls import (
    Call,
    Endpoint,
    data,
    opportunity_filters,
    page,
    time_span,
)
from portal.devtools.sandbox.lever.api.serializers import (
    application_json,
    expanded,
    file_json,
    note_json,
    opportunity_json,
    without_contact,
)
from portal.devtools.sandbox.lever.candidacies import as_read, comment
from portal.devtools.sandbox.lever.records import File, Note, Opportunity
from portal.devtools.sandbox.messages import HttpError, Response, json_response
from portal.devtools.sandbox.values import JsonObject, new_id, now_ms, stable_id, text_list

LONGEST_DELETED_MS = 30 * 24 * 3600 * 1000


def list_opportunities(call: Call) -> Response:
    """Answer a page of the opportunities that pass every filter; confidential ones are left out."""
    account = call.account
    filters = opportunity_filters(account, call.request)
    chosen = [
        opportunity
        for opportunity in map(partial(as_read, account), account.opportunities.values())
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
    return data(_serializer(call)(as_read(call.account, call.opportunity())))


def list_applications(call: Call) -> Response:
    """Answer the application of an opportunity, as a list."""
    opportunity = call.opportunity()
    applications = [application_json(call.account, opportunity)] if opportunity.posting_id else []
    return json_response({"data": applications, "hasNext": False})


def _serializer(call: Call) -> Callable[[Opportunity], JsonObject]:
    """Return the serializer for the `expand` that a call asks for."""
    expand = call.request.args.getlist("expand")

    def serialize(opportunity: Opportunity) -> JsonObject:
        whole = opportunity_json(call.account, opportunity, call.base_url)
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
    """Add tags; a new one comes into being by that, unless tags are locked."""
    call.actor()
    opportunity = call.opportunity()
    tags = _texts(call, "tags")
    if call.account.settings.tags_locked and not candidacies.known_tags(call.account).issuperset(tags):
        raise HttpError(403, "You do not have permission to create tags", "Forbidden")
    candidacies.add_tags(opportunity, tags)
    return _written(call, opportunity, "addTags")


def remove_tags(call: Call) -> Response:
    """Remove tags; absent ones don't matter."""
    call.actor()
    opportunity = call.opportunity()
    candidacies.remove_tags(opportunity, _texts(call, "tags"))
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


def list_notes(call: Call) -> Response:
    """Answer a page of an opportunity's notes."""
    notes = list(call.opportunity().notes.values())
    return page(call.request, notes, lambda note: (note.created_at, note.id), note_json)


def create_note(call: Call) -> Response:
    """Leave a note."""
    actor = call.actor()
    opportunity = call.opportunity()
    text = call.body().get("value")
    if not isinstance(text, str) or not text:
        raise HttpError(400, "Missing required parameter: value", "BadRequestError")
    user_id = actor.id if actor else None
    note = Note(new_id(), user_id, [comment(opportunity, user_id, text, now_ms())])
    opportunity.notes[note.id] = note
    opportunity.mark_updated()
    opportunity.writes["notes"] += 1
    return data(note_json(note) | {"noteId": note.id}, 201)


MAX_FILE = 30 * 1024 * 1024


def list_files(call: Call) -> Response:
    """Answer a page of an opportunity's files."""
    files = list(call.opportunity().files.values())
    return page(call.request, files, lambda file: (file.uploaded_at, file.id), partial(_described, call))


def upload_file(call: Call) -> Response:
    """Attach the part named `file` of a multipart form."""
    call.required_actor()
    opportunity = call.opportunity()
    if (call.request.content_length or 0) > MAX_FILE:
        raise HttpError(413, "The file is larger than 30 MB", "PayloadTooLarge")
    sent = call.request.files.get("file")
    if sent is None:
        raise HttpError(400, "Missing required parameter: file", "BadRequestError")
    file = File(new_id(), sent.filename or "", sent.read(), sent.mimetype or "text/plain")
    opportunity.files[file.id] = file
    opportunity.mark_updated()
    opportunity.writes["files"] += 1
    return data(_described(call, file), 201)


def delete_file(call: Call) -> Response:
    """Delete a file."""
    call.required_actor()
    opportunity = call.opportunity()
    del opportunity.files[call.find("file", "files", opportunity.files).id]
    opportunity.mark_updated()
    opportunity.writes["deleteFile"] += 1
    return Response(status=204)


def _described(call: Call, file: File) -> JsonObject:
    opportunity_id = call.request.path_params["opportunity"]
    url = f"{call.base_url}/v1/opportunities/{opportunity_id}/files/{file.id}/download"
    return file_json(file, url)


def list_interviews(call: Call) -> Response:
    """Answer one interview with all interviewers; an empty page where nobody interviews the candidate."""
    opportunity = call.opportunity()
    found = [opportunity] if opportunity.interviewers else []
    return page(call.request, found, lambda one: (one.created_at, one.id), partial(_interview, call))


def _interview(call: Call, opportunity: Opportunity) -> JsonObject:
    account = call.account
    users = [account.users[user] for user in opportunity.interviewers if user in account.users]
    return {
        "id": stable_id(account.slug, "interview", opportunity.id),
        "interviewers": [{"id": user.id, "name": user.name, "email": user.email} for user in users],
        "createdAt": opportunity.created_at,
        "canceledAt": None,
    }


ENDPOINTS = [
    Endpoint("GET", "/opportunities", "opportunities:read", list_opportunities),
    Endpoint("GET", "/opportunities/deleted", "opportunities:read", list_deleted_opportunities),
    Endpoint("GET", "/opportunities/<opportunity>", "opportunities:read", get_opportunity),
    Endpoint("GET", "/opportunities/<opportunity>/applications", "applications:read", list_applications),
    Endpoint("PUT", "/opportunities/<opportunity>/stage", "opportunities:write", update_stage),
    Endpoint("POST", "/opportunities/<opportunity>/addTags", "opportunities:write", add_tags),
    Endpoint("POST", "/opportunities/<opportunity>/removeTags", "opportunities:write", remove_tags),
    Endpoint("POST", "/opportunities/<opportunity>/addLinks", "opportunities:write", add_links),
    Endpoint("GET", "/opportunities/<opportunity>/notes", "notes:read", list_notes),
    Endpoint("POST", "/opportunities/<opportunity>/notes", "notes:write", create_note),
    Endpoint("GET", "/opportunities/<opportunity>/files", "files:read", list_files),
    Endpoint("POST", "/opportunities/<opportunity>/files", "files:write", upload_file),
    Endpoint("DELETE", "/opportunities/<opportunity>/files/<file>", "files:write", delete_file),
    Endpoint("GET", "/opportunities/<opportunity>/interviews", "interviews:read", list_interviews),
]
