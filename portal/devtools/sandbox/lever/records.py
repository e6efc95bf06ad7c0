"""What an account holds: people, postings, stages, feedback with its fields, opportunities and what hangs on them."""

import copy
from collections import Counter
from dataclasses import dataclass, field

from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import JsonObject, new_id, now_ms, pick


@dataclass
class User:
    """A person who works in the account."""

    id: str
    name: str
    email: str
    role: str = "team member"
    created_at: int = field(default_factory=now_ms)
    deactivated_at: int | None = None


@dataclass
class Contact:
    """A person who applies; one contact can have several opportunities."""

    id: str
    name: str
    emails: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    is_anonymized: bool = False


def canonical_email(email: str) -> str:
    """Return an e-mail address as Lever compares it."""
    return email.strip().casefold()


@dataclass
class Stage:
    """One step of the account's pipeline."""

    id: str
    text: str


@dataclass
class ArchiveReason:
    """Why an opportunity was archived."""

    id: str
    text: str
    type: str = "non-hired"


@dataclass
class Posting:
    """A job."""

    id: str
    text: str
    owner: str | None
    hiring_manager: str | None = None
    tags: list[str] = field(default_factory=list)
    state: str = "published"
    confidentiality: str = "non-confidential"
    commitment: str = "Full-time"
    department: str = "Technology"
    team: str = "Engineering"
    location: str = "Berlin"
    created_at: int = field(default_factory=now_ms)

    def inherited_tags(self) -> list[str]:
        """Return every tag an opportunity on this posting carries because of it."""
        own = [self.text, self.department, self.team, self.location, self.commitment]
        return [tag for tag in [*self.tags, *own] if tag]


@dataclass
class FeedbackTemplate:
    """A feedback form to fill in."""

    id: str
    text: str
    instructions: str
    fields: list[JsonObject]
    created_at: int = field(default_factory=now_ms)


@dataclass
class Feedback:
    """A filled-in feedback form; its fields keep the ids they had in the template at that time."""

    id: str
    user: str
    template_id: str
    text: str
    instructions: str
    fields: list[JsonObject]
    created_at: int
    completed_at: int | None
    updated_at: int | None = None
    deleted_at: int | None = None

    @property
    def rating(self) -> str:
        """The value of its score-system field, empty without one."""
        return next(str(field["value"] or "") for field in self.fields if field["type"] == "score-system")

    @property
    def values(self) -> dict[str, object]:
        """What each field says, by its name."""
        return {field["text"]: field["value"] for field in self.fields}


@dataclass
class Note:
    """A note with its comments."""

    id: str
    user: str | None
    comments: list[JsonObject]
    created_at: int = field(default_factory=now_ms)


@dataclass
class File:
    """A file on an opportunity."""

    id: str
    name: str
    content: bytes
    content_type: str
    uploaded_at: int = field(default_factory=now_ms)


@dataclass
class Opportunity:
    """One candidacy of a contact."""

    id: str
    contact_id: str
    stage: str
    tags: list[str] = field(default_factory=list)
    origin: str = "applied"
    owner: str | None = None
    followers: list[str] = field(default_factory=list)
    interviewers: list[str] = field(default_factory=list)
    posting_id: str | None = None
    application_id: str = field(default_factory=new_id)
    confidentiality: str = "non-confidential"
    archived: JsonObject | None = None
    data_protection: JsonObject | None = None
    stage_changes: list[JsonObject] = field(default_factory=list)
    created_at: int = field(default_factory=now_ms)
    updated_at: int = field(default_factory=now_ms)
    deleted_at: int | None = None
    notes: dict[str, Note] = field(default_factory=dict)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)

    @property
    def live_feedback(self) -> list[Feedback]:
        """The forms that nobody deleted."""
        return [form for form in self.feedback.values() if form.deleted_at is None]

    @property
    def rating(self) -> str:
        """The latest rating, empty without one."""
        return next((form.rating for form in reversed(self.live_feedback) if form.rating), "")

    def mark_updated(self) -> None:
        """Record that the opportunity was changed just now."""
        self.updated_at = now_ms()


RATINGS = ("4 - Strong Hire", "3 - Hire", "2 - No Hire", "1 - Strong No Hire")
CHOICE_TYPES = frozenset({"score-system", "multiple-choice", "dropdown"})
FIELD_TYPES = CHOICE_TYPES | {"yes-no", "text", "textarea"}
_OPTIONAL_KEYS = ("options", "prompt", "scores")


def build_fields(sent: object) -> list[JsonObject]:
    """Return template fields with new ids; raises a 400 HttpError."""
    if not isinstance(sent, list) or not all(isinstance(field, dict) for field in sent):
        raise HttpError(400, "fields must be a list of objects", "BadRequestError")
    if [field.get("type") for field in sent].count("score-system") != 1:
        message = "A feedback template must have exactly one score-system field"
        raise HttpError(400, message, "BadRequestError")
    return [_build_field(field) for field in sent]


def filled_in(fields: list[JsonObject], values: object, *, ignores_unknown: bool = False) -> list[JsonObject]:
    """Return copies of the fields with the values sent put in; raises a 400 HttpError."""
    if not isinstance(values, list):
        raise HttpError(400, "fieldValues must be a list", "BadRequestError")
    fields = copy.deepcopy(fields)
    by_id = {field["id"]: field for field in fields}
    for entry in values:
        field = by_id.get(entry.get("id")) if isinstance(entry, dict) else None
        if field is None and ignores_unknown:
            continue
        if field is None:
            raise HttpError(400, f"fieldValues: no field with the id of {entry}", "BadRequestError")
        value = entry.get("value")
        if value is not None and not _fits(field, value):
            message = f"fieldValues: {value!r} is not a value for {field['text']}"
            raise HttpError(400, message, "BadRequestError")
        field["value"] = value
    for field in fields:
        if field["required"] and field["value"] in (None, ""):
            raise HttpError(400, f"fieldValues: {field['text']} is required", "BadRequestError")
    return fields


def _build_field(sent: JsonObject) -> JsonObject:
    field_type = sent.get("type")
    if field_type not in FIELD_TYPES:
        raise HttpError(400, f"field type {field_type} is not known", "BadRequestError")
    field: JsonObject = {
        "id": new_id(),
        "type": field_type,
        "text": pick(sent, "text", str, ""),
        "description": pick(sent, "description", str, ""),
        "required": pick(sent, "required", bool, False),
    }
    field |= {name: sent[name] for name in _OPTIONAL_KEYS if name in sent}
    if field_type == "score-system":
        field["prompt"] = "Select one"
        field["options"] = [{"text": text} for text in RATINGS]
    return field


def _fits(field: JsonObject, value: object) -> bool:
    """Return whether a value is of the form that a field's type takes."""
    texts = [option["text"] for option in field.get("options", [])]
    return isinstance(value, str) and (field["type"] not in CHOICE_TYPES or value in texts)
