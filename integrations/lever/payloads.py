"""The fields read from Lever's answers and webhooks, decoded leniently: Lever adds fields without notice.

Source: https://hire.lever.co/developer/documentation (Opportunities, Postings, Stages, Webhooks).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _id(value: Any) -> str:
    """Return the id of a reference that may have been expanded into its object."""
    return _text(value.get("id")) if isinstance(value, Mapping) else _text(value)


def _moment(milliseconds: Any) -> datetime | None:
    """Return Lever's integer milliseconds as a time, None for anything else."""
    if type(milliseconds) is not int or not 0 < milliseconds < 32_503_680_000_000:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _entered_at(data: Mapping[str, Any]) -> datetime | None:
    """Return when the opportunity came into its present stage, as its last stage change says."""
    changes = data.get("stageChanges")
    for change in reversed(changes if isinstance(changes, list) else []):
        if isinstance(change, Mapping):
            is_present = change.get("toStageId") == _id(data.get("stage"))
            return _moment(change.get("updatedAt")) if is_present else None
    return None


@dataclass(frozen=True)
class Opportunity:
    """One candidacy: the person's contact data, stage, tags and links, and the role it is for."""

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
    entered_at: datetime | None = None
    has_moved: bool = False  # whether it ever changed stage; the first entry is where it began

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Decode an opportunity read with or without `expand=applications`."""
        applications = data.get("applications")
        posting = ""
        for application in applications if isinstance(applications, list) else []:
            if isinstance(application, Mapping) and application.get("posting"):
                posting = _id(application["posting"])
                break
        protection = data.get("dataProtection")
        contact = protection.get("contact") if isinstance(protection, Mapping) else None
        urls = data.get("urls")
        return cls(
            id=_text(data.get("id")),
            contact_id=_id(data.get("contact")),
            name=_text(data.get("name")).strip(),
            emails=tuple(email.strip() for email in _texts(data.get("emails")) if email.strip()),
            stage_id=_id(data.get("stage")),
            posting_id=posting,
            tags=_texts(data.get("tags")),
            links=_texts(data.get("links")),
            is_archived=bool(data.get("archived")) or bool(data.get("deletedAt")),
            is_anonymized=data.get("isAnonymized") is True,
            may_contact=not (isinstance(contact, Mapping) and contact.get("allowed") is False),
            owner_id=_id(data.get("owner")),
            url=_text(urls.get("show")) if isinstance(urls, Mapping) else "",
            entered_at=_entered_at(data),
            has_moved=isinstance(data.get("stageChanges"), list) and len(data["stageChanges"]) > 1,
        )


@dataclass(frozen=True)
class StageChange:
    """What a `candidateStageChange` webhook hints at; everything in it is re-read before acting."""

    opportunity_id: str
    to_stage_id: str

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Decode the `data` of the envelope."""
        data = payload.get("data")
        data = data if isinstance(data, Mapping) else {}
        return cls(opportunity_id=_text(data.get("opportunityId")), to_stage_id=_text(data.get("toStageId")))


def dedupe_key(payload: Mapping[str, Any]) -> str:
    """Return what makes a delivery the same when Lever sends it again: its id, else what happened and when."""
    delivery_id = payload.get("id")
    if isinstance(delivery_id, str) and delivery_id:
        return f"id:{delivery_id}"[:300]
    data = payload.get("data")
    data = data if isinstance(data, Mapping) else {}
    parts = [
        payload.get("event"),
        payload.get("triggeredAt"),
        data.get("opportunityId"),
        data.get("toStageId"),
    ]
    if not data:
        parts.append(payload.get("token"))
    return ":".join(["event", *(str(part) for part in parts)])[:300]


def is_test_request(payload: Mapping[str, Any]) -> bool:
    """Whether this is Lever's *Verify Connection*: an envelope without data."""
    return not payload.get("data")


def template_fields(template: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return a feedback template's or form's fields by their text."""
    fields = template.get("fields")
    return {
        _text(field.get("text")): field
        for field in (fields if isinstance(fields, list) else [])
        if isinstance(field, Mapping)
    }


def rating_option(field: Mapping[str, Any], rating: int) -> str | int | None:
    """Return the value that says `rating` (1 to 4) in a score-system field, in the words of its own options.

    The labels can be customised (`4 - Strong Hire`, `4 - Yes`, …): the leading digit decides, else the order,
    which runs from 4 down to 1.
    """
    if field.get("type") == "score":
        return rating
    options = field.get("options")
    texts = [
        _text(option.get("text"))
        for option in (options if isinstance(options, list) else [])
        if isinstance(option, Mapping)
    ]
    for text in texts:
        if text.strip().startswith(str(rating)):
            return text
    return texts[4 - rating] if len(texts) == 4 else None
