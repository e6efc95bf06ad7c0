"""What hangs on an opportunity: notes, files and interviews."""

from functools import partial

from portal.devtools.sandbox.http.messages import HttpError, Response
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data, not_found
from portal.devtools.sandbox.lever.api.lists import page
from portal.devtools.sandbox.lever.api.serializers import file_json, note_json
from portal.devtools.sandbox.lever.behaviour.candidacies import comment
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.records import File, Note, Opportunity
from portal.devtools.sandbox.values import JsonObject, new_id, now_ms, pick, stable_id


def list_notes(call: Call) -> Response:
    """Answer a page of an opportunity's notes."""
    notes = list(call.opportunity().notes.values())
    return page(call.request, notes, lambda note: (note.created_at, note.id), note_json)


def get_note(call: Call) -> Response:
    """Answer one note."""
    return data(note_json(_note(call, call.opportunity())))


def create_note(call: Call) -> Response:
    """Leave a note, or a comment on the note that `note_id` names."""
    actor = call.actor()
    opportunity = call.opportunity()
    body = call.body()
    text = body.get("value")
    score = body.get("score")
    if not isinstance(text, str) or not text:
        raise HttpError(400, "Missing required parameter: value", "BadRequestError")
    if score is not None and score not in (1, 2, 3, 4):
        raise HttpError(400, "score must be between 1 and 4", "BadRequestError")
    created_at = pick(body, "createdAt", int, now_ms())
    user_id = actor.id if actor else None
    note_id = call.request.args.get("note_id", "")
    if note_id:
        if note_id not in opportunity.notes:
            raise not_found("notes", note_id)
        note = opportunity.notes[note_id]
    else:
        note = Note(new_id(), user_id, [], bool(body.get("secret")), created_at=created_at)
        opportunity.notes[note.id] = note
    note.comments.append(comment(opportunity, user_id, text, created_at, score))
    opportunity.mark_updated()
    opportunity.writes["notes"] += 1
    return data(note_json(note) | {"noteId": note.id}, 201)


def update_note(call: Call) -> Response:
    """Replace a note's whole thread."""
    opportunity = call.opportunity()
    note = _changeable_note(call, opportunity)
    values = call.body().get("values")
    if not isinstance(values, list) or not values:
        raise HttpError(400, "Missing required parameter: values", "BadRequestError")
    thread = []
    for entry in values:
        if not isinstance(entry, dict) or not isinstance(entry.get("value"), str):
            raise HttpError(400, "values must be a list of objects with a value", "BadRequestError")
        created_at = pick(entry, "createdAt", int, now_ms())
        thread.append(comment(opportunity, note.user, entry["value"], created_at))
    note.comments = thread
    opportunity.mark_updated()
    opportunity.writes["putNote"] += 1
    return data({"noteId": note.id})


def delete_note(call: Call) -> Response:
    """Delete a note made through the API."""
    opportunity = call.opportunity()
    del opportunity.notes[_changeable_note(call, opportunity).id]
    opportunity.mark_updated()
    opportunity.writes["deleteNote"] += 1
    return Response(status=204)


def _note(call: Call, opportunity: Opportunity) -> Note:
    return call.find("note", "notes", opportunity.notes)


def _changeable_note(call: Call, opportunity: Opportunity) -> Note:
    note = _note(call, opportunity)
    if not note.by_api:
        raise HttpError(403, "Only notes created through the API can be changed through it", "Forbidden")
    return note


MAX_FILE = 30 * 1024 * 1024


def list_files(call: Call) -> Response:
    """Answer a page of an opportunity's files."""
    files = list(call.opportunity().files.values())
    return page(call.request, files, lambda file: (file.uploaded_at, file.id), partial(_described, call))


def get_file(call: Call) -> Response:
    """Answer one file's description."""
    return data(_described(call, call.find("file", "files", call.opportunity().files)))


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


def download_file(call: Call) -> Response:
    """Answer a file's content."""
    file = call.find("file", "files", call.opportunity().files)
    return Response(file.content, content_type=file.content_type)


def delete_file(call: Call) -> Response:
    """Delete a file."""
    call.required_actor()
    opportunity = call.opportunity()
    del opportunity.files[call.find("file", "files", opportunity.files).id]
    opportunity.mark_updated()
    opportunity.writes["deleteFile"] += 1
    return Response(status=204)


def _described(call: Call, file: File) -> JsonObject:
    settings = call.account.settings
    opportunity_id = call.request.path_params["opportunity"]
    url = f"{call.base_url}/v1/opportunities/{opportunity_id}/files/{file.id}/download"
    return file_json(file, url, status=settings.file_status, as_text=settings.text_file_numbers)


def list_interviews(call: Call) -> Response:
    """Answer one interview with all interviewers; an empty page where nobody interviews the candidate."""
    opportunity = call.opportunity()
    found = [opportunity] if opportunity.interviewers else []
    return page(
        call.request,
        found,
        lambda one: (one.created_at, one.id),
        lambda one: _interview_json(call.account, one),
    )


def _interview_json(account: LeverAccount, opportunity: Opportunity) -> JsonObject:
    users = [account.users[user] for user in opportunity.interviewers if user in account.users]
    return {
        "id": stable_id(account.slug, "interview", opportunity.id),
        "panel": stable_id(account.slug, "panel", opportunity.id),
        "subject": "Interview",
        "note": "",
        "interviewers": [
            {"id": user.id, "name": user.name, "email": user.email, "feedbackTemplate": None}
            for user in users
        ],
        "timezone": "UTC",
        "createdAt": opportunity.created_at,
        "date": opportunity.created_at,
        "duration": 30,
        "location": "",
        "feedbackTemplate": None,
        "feedbackForms": [],
        "feedbackReminder": "once",
        "user": opportunity.owner,
        "stage": opportunity.stage,
        "canceledAt": None,
        "postings": [opportunity.posting_id] if opportunity.posting_id else [],
        "gcalEventUrl": None,
    }


ENDPOINTS = [
    Endpoint("GET", "/opportunities/<opportunity>/notes", "notes:read", list_notes),
    Endpoint("POST", "/opportunities/<opportunity>/notes", "notes:write", create_note),
    Endpoint("GET", "/opportunities/<opportunity>/notes/<note>", "notes:read", get_note),
    Endpoint("PUT", "/opportunities/<opportunity>/notes/<note>", "notes:write", update_note),
    Endpoint("DELETE", "/opportunities/<opportunity>/notes/<note>", "notes:write", delete_note),
    Endpoint("GET", "/opportunities/<opportunity>/files", "files:read", list_files),
    Endpoint("GET", "/opportunities/<opportunity>/files/<file>", "files:read", get_file),
    Endpoint("POST", "/opportunities/<opportunity>/files", "files:write", upload_file),
    Endpoint("DELETE", "/opportunities/<opportunity>/files/<file>", "files:write", delete_file),
    Endpoint("GET", "/opportunities/<opportunity>/files/<file>/download", "files:read", download_file),
    Endpoint("GET", "/opportunities/<opportunity>/interviews", "interviews:read", list_interviews),
]
