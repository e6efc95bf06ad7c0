"""Lever's objects in JSON, after its API reference: what the portal reads of them, and what is beside it.

Every shape that Lever documents is in tests/fixtures/lever/recorded_answers.json.
"""

from collections.abc import Callable

from portal.devtools.sandbox.lever.account import LeverAccount, Webhook
from portal.devtools.sandbox.lever.records import (
    Feedback,
    FeedbackTemplate,
    File,
    Note,
    Opportunity,
    Posting,
    Stage,
    User,
)
from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import JsonObject


def stage_json(stage: Stage) -> JsonObject:
    """Return a stage."""
    return {"id": stage.id, "text": stage.text}


def user_json(user: User) -> JsonObject:
    """Return a user."""
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "accessRole": user.role,
        "createdAt": user.created_at,
        "deactivatedAt": user.deactivated_at,
    }


def posting_json(posting: Posting) -> JsonObject:
    """Return a posting; its tags are only those put on it by hand."""
    return {
        "id": posting.id,
        "text": posting.text,
        "state": posting.state,
        "owner": posting.owner,
        "categories": {
            "commitment": posting.commitment,
            "department": posting.department,
            "team": posting.team,
            "location": posting.location,
            "allLocations": [posting.location],
        },
        "tags": posting.tags,
        "confidentiality": posting.confidentiality,
    }


def webhook_json(webhook: Webhook, *, with_token: bool = False) -> JsonObject:
    """Return a webhook; its signature token is answered once, on creation."""
    configuration: JsonObject = {"conditions": {}}
    if with_token:
        configuration["signatureToken"] = webhook.signature_token
    return {
        "id": webhook.id,
        "event": webhook.event,
        "url": webhook.url,
        "configuration": configuration,
    }


def note_json(note: Note) -> JsonObject:
    """Return a note with its comments."""
    return {
        "id": note.id,
        "fields": note.comments,
        "user": note.user,
        "createdAt": note.created_at,
        "deletedAt": None,
    }


def template_json(template: FeedbackTemplate) -> JsonObject:
    """Return a feedback template."""
    return {
        "id": template.id,
        "text": template.text,
        "instructions": template.instructions,
        "fields": template.fields,
    }


def feedback_json(form: Feedback, *, is_of_score: bool = False) -> JsonObject:
    """Return a feedback form as reading and creating answer it; `is_of_score` has its rating typed `score`."""
    return {
        "id": form.id,
        "text": form.text,
        "instructions": form.instructions,
        "fields": _of_score(form.fields) if is_of_score else form.fields,
        "baseTemplateId": form.template_id,
        "user": form.user,
        "createdAt": form.created_at,
        "completedAt": form.completed_at,
        "updatedAt": form.updated_at,
        "deletedAt": form.deleted_at,
    }


def _of_score(fields: list[JsonObject]) -> list[JsonObject]:
    """Return the fields with the rating typed `score`; it keeps its options."""
    return [field | {"type": "score"} if field["type"] == "score-system" else field for field in fields]


def updated_feedback_json(
    account: LeverAccount, opportunity: Opportunity, form: Feedback, *, is_of_score: bool
) -> JsonObject:
    """Return a feedback form as an update answers it, which differs from what reading answers."""
    summary = {"overall": True, "isSummary": True}
    fields = [field | summary if field["type"] == "score-system" else field for field in form.fields]
    return {
        "id": form.id,
        "accountId": account.id,
        "userId": form.user,
        "profileId": opportunity.id,
        "baseTemplateId": form.template_id,
        "text": form.text,
        "instructions": form.instructions,
        "fields": _of_score(fields) if is_of_score else fields,
        "createdAt": form.created_at,
        "completedAt": form.completed_at,
        "updatedAt": form.updated_at,
    }


def file_json(file: File, download_url: str) -> JsonObject:
    """Return a file's description."""
    return {
        "id": file.id,
        "downloadUrl": download_url,
        "name": file.name,
        "uploadedAt": file.uploaded_at,
    }


def opportunity_json(account: LeverAccount, opportunity: Opportunity, base_url: str) -> JsonObject:
    """Return an opportunity with nothing expanded."""
    contact = account.contact_of(opportunity)
    return {
        "id": opportunity.id,
        "name": contact.name,
        "contact": contact.id,
        "stage": opportunity.stage,
        "stageChanges": opportunity.stage_changes,
        "confidentiality": opportunity.confidentiality,
        "emails": contact.emails,
        "links": contact.links,
        "archived": opportunity.archived,
        "tags": opportunity.tags,
        "origin": opportunity.origin,
        "owner": opportunity.owner,
        "followers": opportunity.followers,
        "applications": [opportunity.application_id] if opportunity.posting_id else [],
        "createdAt": opportunity.created_at,
        "updatedAt": opportunity.updated_at,
        "urls": {"show": f"{base_url}/{account.slug}/candidates/{opportunity.id}"},
        "dataProtection": opportunity.data_protection,
        "isAnonymized": contact.is_anonymized,
    }


def without_contact(serialized: JsonObject) -> JsonObject:
    """Return an opportunity as most write calls answer it: without anything about the contact."""
    return serialized | {"name": "", "emails": [], "links": []}


def expanded(
    account: LeverAccount, opportunity: Opportunity, serialized: JsonObject, expand: list[str]
) -> JsonObject:
    """Put whole objects in place of ids; raises a 400 HttpError for what can't be expanded."""
    for name in expand:
        expander = _EXPANDERS.get(name)
        if expander is None:
            raise HttpError(400, f"{name} is not expandable", "BadRequestError")
        serialized[name] = expander(account, opportunity)
    return serialized


def application_json(account: LeverAccount, opportunity: Opportunity) -> JsonObject:
    """Return the application that ties an opportunity to its posting."""
    posting = account.postings[opportunity.posting_id or ""]
    return {
        "id": opportunity.application_id,
        "type": "posting",
        "posting": posting.id,
        "postingHiringManager": posting.hiring_manager,
        "createdAt": opportunity.created_at,
    }


def _user_or_none(account: LeverAccount, user_id: str | None) -> JsonObject | None:
    user = account.users.get(user_id or "")
    return user_json(user) if user else None


_EXPANDERS: dict[str, Callable[[LeverAccount, Opportunity], object]] = {
    "applications": lambda account, opportunity: (
        [application_json(account, opportunity)] if opportunity.posting_id else []
    ),
    "followers": lambda account, opportunity: [
        _user_or_none(account, user) for user in opportunity.followers
    ],
    "owner": lambda account, opportunity: _user_or_none(account, opportunity.owner),
}
