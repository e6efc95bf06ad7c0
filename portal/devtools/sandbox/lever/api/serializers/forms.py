"""The JSON of notes, feedback and files."""

from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.feedback import Feedback, FeedbackTemplate
from portal.devtools.sandbox.lever.state.opportunity import File, Note, Opportunity


def note_json(note: Note) -> JsonObject:
    """Return a note with its comments."""
    return {
        "id": note.id,
        "text": "Note",
        "fields": note.comments,
        "user": note.user,
        "secret": note.secret,
        "createdAt": note.created_at,
        "completedAt": note.created_at,
        "deletedAt": None,
    }


def template_json(template: FeedbackTemplate) -> JsonObject:
    """Return a feedback template."""
    return {
        "id": template.id,
        "text": template.text,
        "instructions": template.instructions,
        "group": None,
        "fields": template.fields,
        "stage": None,
        "createdAt": template.created_at,
        "updatedAt": template.updated_at,
    }


def feedback_json(form: Feedback) -> JsonObject:
    """Return a feedback form as reading and creating answer it."""
    return {
        "id": form.id,
        "type": "interview",
        "text": form.text,
        "instructions": form.instructions,
        "fields": form.fields,
        "baseTemplateId": form.template_id,
        "interview": None,
        "panel": None,
        "user": form.user,
        "createdAt": form.created_at,
        "completedAt": form.completed_at,
        "updatedAt": form.updated_at,
        "deletedAt": form.deleted_at,
    }


def updated_feedback_json(account: LeverAccount, opportunity: Opportunity, form: Feedback) -> JsonObject:
    """Return a feedback form as an update answers it, which differs from what reading answers."""
    fields = []
    for field in form.fields:
        if field["type"] == "score-system":
            field = field | {"type": "score", "overall": True, "isSummary": True}
        fields.append(field)
    return {
        "id": form.id,
        "accountId": account.id,
        "userId": form.user,
        "profileId": opportunity.id,
        "baseTemplateId": form.template_id,
        "text": form.text,
        "instructions": form.instructions,
        "fields": fields,
        "createdAt": form.created_at,
        "completedAt": form.completed_at,
        "updatedAt": form.updated_at,
    }


def file_json(file: File, download_url: str, *, status: str, as_text: bool) -> JsonObject:
    """Return a file's description; Lever's documentation prints the numbers as text."""
    size, uploaded_at = len(file.content), file.uploaded_at
    return {
        "id": file.id,
        "downloadUrl": download_url,
        "ext": f".{file.name.rpartition('.')[2]}" if "." in file.name else "",
        "name": file.name,
        "uploadedAt": str(uploaded_at) if as_text else uploaded_at,
        "status": status,
        "size": str(size) if as_text else size,
    }
