"""The JSON of opportunities, applications and contacts, key for key as Lever writes it."""

from collections.abc import Callable

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.api.serializers.lookups import stage_json, user_json
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.opportunity import Opportunity
from portal.devtools.sandbox.lever.state.people import Contact


def opportunity_json(account: LeverAccount, opportunity: Opportunity, base_url: str) -> JsonObject:
    """Return an opportunity with nothing expanded."""
    contact = account.contact_of(opportunity)
    serialized: JsonObject = {
        "id": opportunity.id,
        "name": contact.name,
        "headline": contact.headline,
        "contact": contact.id,
        "stage": opportunity.stage,
        "stageChanges": opportunity.stage_changes,
        "confidentiality": opportunity.confidentiality,
        "location": contact.location,
        "phones": contact.phones,
        "emails": contact.emails,
        "links": contact.links,
        "archived": opportunity.archived,
        "tags": opportunity.tags,
        "sources": opportunity.sources,
        "origin": opportunity.origin,
        "sourcedBy": None,
        "owner": opportunity.owner,
        "followers": opportunity.followers,
        "applications": [opportunity.application_id] if opportunity.posting_id else [],
        "createdAt": opportunity.created_at,
        "updatedAt": opportunity.updated_at,
        "lastInteractionAt": opportunity.last_interaction_at,
        "lastAdvancedAt": opportunity.last_advanced_at,
        "snoozedUntil": None,
        "urls": {
            "list": f"{base_url}/{account.slug}/candidates",
            "show": f"{base_url}/{account.slug}/candidates/{opportunity.id}",
        },
        "dataProtection": opportunity.data_protection,
        "isAnonymized": contact.is_anonymized,
    }
    if opportunity.posting_id:
        serialized["opportunityLocation"] = account.postings[opportunity.posting_id].location
    return serialized


def without_contact(serialized: JsonObject) -> JsonObject:
    """Return an opportunity as most write calls answer it: without anything about the contact."""
    serialized = serialized | {
        "name": "",
        "headline": "",
        "location": "",
        "phones": [],
        "emails": [],
        "links": [],
    }
    serialized.pop("opportunityLocation", None)
    return serialized


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
    contact = account.contact_of(opportunity)
    posting = account.postings[opportunity.posting_id or ""]
    return {
        "id": opportunity.application_id,
        "type": "posting",
        "candidateId": opportunity.id,
        "opportunityId": opportunity.id,
        "posting": posting.id,
        "postingHiringManager": posting.hiring_manager,
        "postingOwner": posting.owner,
        "user": None,
        "name": contact.name,
        "company": "",
        "phone": contact.phones[0] if contact.phones else None,
        "email": contact.emails[0] if contact.emails else None,
        "links": contact.links,
        "comments": "",
        "customQuestions": [],
        "createdAt": opportunity.created_at,
        "archived": opportunity.archived,
        "requisitionForHire": None,
    }


def contact_json(contact: Contact) -> JsonObject:
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


def _user_or_none(account: LeverAccount, user_id: str | None) -> JsonObject | None:
    user = account.users.get(user_id or "")
    return user_json(user) if user else None


_EXPANDERS: dict[str, Callable[[LeverAccount, Opportunity], object]] = {
    "applications": lambda account, opportunity: (
        [application_json(account, opportunity)] if opportunity.posting_id else []
    ),
    "contact": lambda account, opportunity: contact_json(account.contact_of(opportunity)),
    "followers": lambda account, opportunity: [
        _user_or_none(account, user) for user in opportunity.followers
    ],
    "owner": lambda account, opportunity: _user_or_none(account, opportunity.owner),
    "sourcedBy": lambda _account, _item: None,
    "stage": lambda account, opportunity: stage_json(account.stages[opportunity.stage]),
}
