"""What the portal reads from Lever's opportunities and webhooks.

Decoded leniently, since Lever adds fields without notice.
Source: https://hire.lever.co/developer/documentation (Opportunities, Webhooks).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from integrations.http.json_types import JsonObject
from integrations.http.one_line import one_line
from integrations.lever.decoding import json_object, json_objects, moment, referenced_id, text, texts

#: The only events that name no opportunity.
CONTACT_EVENTS = frozenset({"contactCreated", "contactUpdated"})


@dataclass(frozen=True)
class Opportunity:
    """One candidacy: the person's contact data, stage, tags and links, and the posting it is for."""

    id: str
    contact_id: str
    name: str
    emails: tuple[str, ...]
    stage_id: str
    posting_id: str
    tags: tuple[str, ...]
    links: tuple[str, ...]
    is_archived: bool
    is_anonymized: bool
    may_contact: bool
    owner_id: str
    url: str
    owner_email: str = ""  # empty where the owner wasn't expanded
    follower_emails: tuple[str, ...] | None = None  # None where the followers weren't expanded
    hiring_managers: tuple[str, ...] = ()  # ids of Lever users, of the applications that were expanded
    entered_at: datetime | None = None  # when it came into its present stage
    is_deleted: bool = False
    has_moved: bool = False  # whether it ever changed stage; the first entry is where it began

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        """Decode an opportunity that was read with or without its applications, owner and followers expanded."""
        contact_protection = json_object(json_object(data.get("dataProtection")).get("contact"))
        stage_changes = data.get("stageChanges")
        return cls(
            id=text(data.get("id")),
            contact_id=referenced_id(data.get("contact")),
            name=one_line(text(data.get("name"))),
            emails=tuple(email.strip() for email in texts(data.get("emails")) if email.strip()),
            stage_id=referenced_id(data.get("stage")),
            posting_id=_posting_id(data),
            tags=texts(data.get("tags")),
            links=texts(data.get("links")),
            is_archived=bool(data.get("archived")) or bool(data.get("deletedAt")),
            is_anonymized=data.get("isAnonymized") is True,
            may_contact=contact_protection.get("allowed") is not False,
            owner_id=referenced_id(data.get("owner")),
            url=text(json_object(data.get("urls")).get("show")),
            owner_email=text(json_object(data.get("owner")).get("email")),
            follower_emails=_follower_emails(data.get("followers")),
            hiring_managers=_hiring_managers(data),
            entered_at=_entered_at(data),
            is_deleted=bool(data.get("deletedAt")),
            has_moved=isinstance(stage_changes, list) and len(stage_changes) > 1,
        )


def _posting_id(data: JsonObject) -> str:
    """Return the posting of the first application that names one."""
    for application in json_objects(data.get("applications")):
        if application.get("posting"):
            return referenced_id(application["posting"])
    return ""


def _follower_emails(followers: object) -> tuple[str, ...] | None:
    """Return the addresses of the followers; None where Lever only shows their ids."""
    users = json_objects(followers)
    if not isinstance(followers, list) or any(isinstance(follower, str) for follower in followers):
        return None
    return tuple(filter(None, (text(user.get("email")) for user in users)))


def _hiring_managers(data: JsonObject) -> tuple[str, ...]:
    """Return the ids of the users who hire for the postings of the applications."""
    applications = json_objects(data.get("applications"))
    return tuple(filter(None, (referenced_id(one.get("postingHiringManager")) for one in applications)))


def _entered_at(data: JsonObject) -> datetime | None:
    """Return when the opportunity came into its present stage, according to its last stage change."""
    changes = json_objects(data.get("stageChanges"))
    if not changes or changes[-1].get("toStageId") != referenced_id(data.get("stage")):
        return None
    return moment(changes[-1].get("updatedAt"))


@dataclass(frozen=True)
class StageChange:
    """The content of a `candidateStageChange` webhook. It isn't signed, so it is re-read before anything is done."""

    opportunity_id: str
    to_stage_id: str

    @classmethod
    def from_payload(cls, payload: JsonObject) -> Self:
        """Decode the `data` of the envelope."""
        data = json_object(payload.get("data"))
        return cls(opportunity_id=opportunity_id_in(data), to_stage_id=text(data.get("toStageId")))


def opportunity_id_in(data: JsonObject) -> str:
    """Return the opportunity that a webhook's `data` names; empty where it names none.

    Until 2020 Lever named the candidate alone, whose id was then the opportunity's.
    """
    return text(data.get("opportunityId")) or text(data.get("candidateId"))


def dedupe_key(payload: JsonObject) -> str:
    """Return a key that is the same when Lever sends a delivery again: its id, else what happened and when."""
    delivery_id = payload.get("id")
    if isinstance(delivery_id, str) and delivery_id:
        return f"id:{delivery_id}"[:300]
    data = json_object(payload.get("data"))
    parts = [
        payload.get("event"),
        payload.get("triggeredAt"),
        opportunity_id_in(data),
        data.get("toStageId"),
    ]
    if not opportunity_id_in(data):
        parts.append(payload.get("token"))
    return ":".join(["event", *(str(part) for part in parts)])[:300]


def is_test_request(payload: JsonObject) -> bool:
    """Whether this is Lever's *Verify Connection*: no data, or data that names neither candidate nor contact."""
    data = json_object(payload.get("data"))
    is_about_contact = text(payload.get("event")) in CONTACT_EVENTS and bool(data.get("contactId"))
    return not opportunity_id_in(data) and not is_about_contact
