"""Notes on an opportunity."""

from portal.devtools.sandbox.http import Refusal, Response, json_response
from portal.devtools.sandbox.ids import Json, new_id, now_ms, pick
from portal.devtools.sandbox.lever.api import Call, Table, data, not_found
from portal.devtools.sandbox.lever.paging import page
from portal.devtools.sandbox.lever.serializers_forms import note_json
from portal.devtools.sandbox.lever.state import Note, Opportunity


def comment(item: Opportunity, user: str | None, value: str, created_at: int, score: int | None) -> Json:
    """Return one comment of a note, with the stage the opportunity is in."""
    return {
        "type": "note",
        "text": "Comment",
        "value": value,
        "createdAt": created_at,
        "user": user,
        "score": score,
        "stage": item.stage,
    }


def list_notes(call: Call) -> Response:
    """Answer a page of an opportunity's notes."""
    notes = list(call.opportunity().notes.values())
    return json_response(page(call.request, notes, lambda note: (note.created_at, note.id), note_json))


def get_note(call: Call) -> Response:
    """Answer one note."""
    return data(note_json(_note(call, call.opportunity())))


def create_note(call: Call) -> Response:
    """Leave a note, or a comment on the note that `note_id` names."""
    actor = call.actor()
    item = call.opportunity()
    body = call.body()
    value = body.get("value")
    score = body.get("score")
    if not isinstance(value, str) or not value:
        raise Refusal(400, "Missing required parameter: value", "BadRequestError")
    if score is not None and score not in (1, 2, 3, 4):
        raise Refusal(400, "score must be between 1 and 4", "BadRequestError")
    created_at = pick(body, "createdAt", int, now_ms())
    user = actor.id if actor else None
    thread = call.request.arg("note_id")
    if thread:
        if thread not in item.notes:
            raise not_found("notes", thread)
        note = item.notes[thread]
    else:
        note = Note(new_id(), user, [], bool(body.get("secret")), created_at=created_at)
        item.notes[note.id] = note
    note.comments.append(comment(item, user, value, created_at, score))
    item.touch()
    item.writes["notes"] += 1
    return data(note_json(note) | {"noteId": note.id}, 201)


def put_note(call: Call) -> Response:
    """Replace a note's whole thread."""
    item = call.opportunity()
    note = _own(call, item)
    values = call.body().get("values")
    if not isinstance(values, list) or not values:
        raise Refusal(400, "Missing required parameter: values", "BadRequestError")
    thread = []
    for entry in values:
        if not isinstance(entry, dict) or not isinstance(entry.get("value"), str):
            raise Refusal(400, "values must be a list of objects with a value", "BadRequestError")
        created_at = pick(entry, "createdAt", int, now_ms())
        thread.append(comment(item, note.user, entry["value"], created_at, None))
    note.comments = thread
    item.touch()
    item.writes["putNote"] += 1
    return data({"noteId": note.id})


def delete_note(call: Call) -> Response:
    """Delete a note made through the API."""
    item = call.opportunity()
    del item.notes[_own(call, item).id]
    item.touch()
    item.writes["deleteNote"] += 1
    return Response(204)


def _note(call: Call, item: Opportunity) -> Note:
    name = call.request.params["note"]
    if name not in item.notes:
        raise not_found("notes", name)
    return item.notes[name]


def _own(call: Call, item: Opportunity) -> Note:
    note = _note(call, item)
    if not note.by_api:
        raise Refusal(403, "Only notes created through the API can be changed through it", "Forbidden")
    return note


TABLE: Table = [
    ("GET", "/opportunities/<opportunity>/notes", "notes:read", list_notes),
    ("POST", "/opportunities/<opportunity>/notes", "notes:write", create_note),
    ("GET", "/opportunities/<opportunity>/notes/<note>", "notes:read", get_note),
    ("PUT", "/opportunities/<opportunity>/notes/<note>", "notes:write", put_note),
    ("DELETE", "/opportunities/<opportunity>/notes/<note>", "notes:write", delete_note),
]
