"""The JSON of stages, archive reasons, users, postings and webhooks."""

from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.people import User
from portal.devtools.sandbox.lever.state.pipeline import ArchiveReason, Posting, Stage
from portal.devtools.sandbox.lever.state.webhook import Webhook


def stage_json(stage: Stage) -> JsonObject:
    """Return a stage."""
    return {"id": stage.id, "text": stage.text}


def reason_json(reason: ArchiveReason) -> JsonObject:
    """Return an archive reason."""
    return {"id": reason.id, "text": reason.text, "status": reason.status, "type": reason.type}


def user_json(user: User) -> JsonObject:
    """Return a user."""
    return {
        "id": user.id,
        "name": user.name,
        "username": user.email.partition("@")[0],
        "email": user.email,
        "accessRole": user.role,
        "photo": None,
        "createdAt": user.created_at,
        "deactivatedAt": user.deactivated_at,
        "externalDirectoryId": None,
        "linkedContactIds": None,
        "jobTitle": None,
        "managerId": None,
    }


def posting_json(account: LeverAccount, posting: Posting, base_url: str) -> JsonObject:
    """Return a posting; its tags are only those put on it by hand."""
    is_public = posting.state == "published"
    show = f"{base_url}/{account.slug}/postings/{posting.id}"
    return {
        "id": posting.id,
        "text": posting.text,
        "state": posting.state,
        "distributionChannels": ["internal", "public"] if is_public else None,
        "user": posting.owner,
        "owner": posting.owner,
        "hiringManager": posting.hiring_manager,
        "categories": {
            "commitment": posting.commitment,
            "department": posting.department,
            "team": posting.team,
            "location": posting.location,
            "allLocations": [posting.location],
            "level": None,
        },
        "tags": posting.tags,
        "content": {
            "description": "",
            "descriptionHtml": "<div></div>",
            "lists": [],
            "closing": "",
            "closingHtml": "",
        },
        "country": "DE",
        "followers": [posting.owner] if posting.owner else [],
        "reqCode": None,
        "requisitionCodes": [],
        "urls": {"list": f"{base_url}/{account.slug}/postings", "show": show, "apply": f"{show}/apply"}
        if is_public
        else None,
        "confidentiality": posting.confidentiality,
        "createdAt": posting.created_at,
        "updatedAt": posting.updated_at,
        "workplaceType": "unspecified",
        "transcribeInterviews": False,
        "screening": {"enabled": False},
    }


def webhook_json(webhook: Webhook, *, with_token: bool = False) -> JsonObject:
    """Return a webhook; its signature token is answered once, on creation."""
    configuration: JsonObject = {"conditions": {"origins": webhook.origins}}
    if with_token:
        configuration["signatureToken"] = webhook.signature_token
    return {
        "id": webhook.id,
        "event": webhook.event,
        "url": webhook.url,
        "configuration": configuration,
        "createdAt": webhook.created_at,
        "updatedAt": webhook.updated_at,
    }
