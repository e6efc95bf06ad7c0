"""The JSON Lever answers with for users, postings and webhooks."""

from portal.devtools.sandbox.ids import Json
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.state import Posting, User, Webhook


def user_json(user: User) -> Json:
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


def posting_json(account: LeverAccount, posting: Posting, base_url: str) -> Json:
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
        "hiringManager": None,
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


def webhook_json(webhook: Webhook, *, with_token: bool = False) -> Json:
    """Return a webhook; its signature token is told once, on creation."""
    configuration: Json = {"conditions": {"origins": webhook.origins}}
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
