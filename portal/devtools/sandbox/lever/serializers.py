"""The JSON Lever answers with for opportunities and contacts, key for key."""

from collections.abc import Callable

from portal.devtools.sandbox.http import Refusal
from portal.devtools.sandbox.ids import Json
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.serializers_lookups import user_json
from portal.devtools.sandbox.lever.state import Contact, Opportunity


def opportunity_json(account: LeverAccount, item: Opportunity, base_url: str) -> Json:
    """Return an opportunity with nothing expanded."""
    contact = account.contact_of(item)
    shape: Json = {
        "id": item.id,
        "name": contact.name,
        "headline": contact.headline,
        "contact": contact.id,
        "stage": item.stage,
        "stageChanges": item.stage_changes,
        "confidentiality": item.confidentiality,
        "location": contact.location,
        "phones": contact.phones,
        "emails": contact.emails,
        "links": contact.links,
        "archived": item.archived,
        "tags": item.tags,
        "sources": item.sources,
        "origin": item.origin,
        "sourcedBy": None,
        "owner": item.owner,
        "followers": item.followers,
        "applications": [item.application_id] if item.posting_id else [],
        "createdAt": item.created_at,
        "updatedAt": item.updated_at,
        "lastInteractionAt": item.last_interaction_at,
        "lastAdvancedAt": item.last_advanced_at,
        "snoozedUntil": None,
        "urls": {
            "list": f"{base_url}/{account.slug}/candidates",
            "show": f"{base_url}/{account.slug}/candidates/{item.id}",
        },
        "dataProtection": item.data_protection,
        "isAnonymized": contact.is_anonymized,
    }
    if item.posting_id:
        shape["opportunityLocation"] = account.postings[item.posting_id].location
    if item.deleted_at is not None:
        shape |= {"deletedAt": item.deleted_at, "deletedBy": item.deleted_by}
    return shape


def blanked(shape: Json) -> Json:
    """Return an opportunity as most write calls answer it: without anything about the contact."""
    shape = shape | {"name": "", "headline": "", "location": "", "phones": [], "emails": [], "links": []}
    shape.pop("opportunityLocation", None)
    return shape


def expanded(account: LeverAccount, item: Opportunity, shape: Json, expand: list[str]) -> Json:
    """Put whole objects in place of ids; raises a 400 Refusal for what can't be expanded."""
    for name in expand:
        expander = _EXPANDERS.get(name)
        if expander is None:
            raise Refusal(400, f"{name} is not expandable", "BadRequestError")
        shape[name] = expander(account, item)
    return shape


def application_json(account: LeverAccount, item: Opportunity) -> Json:
    """Return the application that ties an opportunity to its posting."""
    contact = account.contact_of(item)
    posting = account.postings[item.posting_id or ""]
    return {
        "id": item.application_id,
        "type": "posting",
        "candidateId": item.id,
        "opportunityId": item.id,
        "posting": posting.id,
        "postingHiringManager": None,
        "postingOwner": posting.owner,
        "user": None,
        "name": contact.name,
        "company": "",
        "phone": contact.phones[0] if contact.phones else None,
        "email": contact.emails[0] if contact.emails else None,
        "links": contact.links,
        "comments": "",
        "customQuestions": [],
        "createdAt": item.created_at,
        "archived": item.archived,
        "requisitionForHire": None,
    }


def contact_json(contact: Contact) -> Json:
    """Return a contact; its location is an object here and a string on an opportunity."""
    return {
        "id": contact.id,
        "name": contact.name,
        "headline": contact.headline,
        "isAnonymized": contact.is_anonymized,
        "location": {"name": contact.location},
        "emails": contact.emails,
        "phones": contact.phones,
    }


def _user_or_none(account: LeverAccount, user_id: str | None) -> Json | None:
    user = account.users.get(user_id or "")
    return user_json(user) if user else None


def _stage(account: LeverAccount, item: Opportunity) -> Json:
    stage = account.stages[item.stage]
    return {"id": stage.id, "text": stage.text}


_EXPANDERS: dict[str, Callable[[LeverAccount, Opportunity], object]] = {
    "applications": lambda account, item: [application_json(account, item)] if item.posting_id else [],
    "contact": lambda account, item: contact_json(account.contact_of(item)),
    "followers": lambda account, item: [_user_or_none(account, user) for user in item.followers],
    "owner": lambda account, item: _user_or_none(account, item.owner),
    "sourcedBy": lambda _account, _item: None,
    "stage": _stage,
}
