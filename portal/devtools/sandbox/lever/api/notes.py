"""Notes on an opportunity."""

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.json_values import pick
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data, not_found
from portal.devtools.sandbox.lever.api.paging import page
from portal.devtools.sandbox.lever.api.serializers.forms import note_json
from portal.devtools.sandbox.lever.behaviour.comments import comment
from portal.devtools.sandbox.lever.state.opportunity import Note, Opportunity
from portal.devtools.sandbox.times import now_ms


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


ENDPOINTS = [
    Endpoint("GET", "/opportunities/<opportunity>/notes", "notes:read", list_notes),
    Endpoint("POST", "/opportunities/<opportunity>/notes", "notes:write", create_note),
    Endpoint("GET", "/opportunities/<opportunity>/notes/<note>", "notes:read", get_note),
    Endpoint("PUT", "/opportunities/<opportunity>/notes/<note>", "notes:write", update_note),
    Endpoint("DELETE", "/opportunities/<opportunity>/notes/<note>", "notes:write", delete_note),
]
