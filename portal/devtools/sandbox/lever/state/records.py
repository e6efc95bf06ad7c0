"""What an account holds: people, postings and stages, feedback, and opportunities with what hangs on them."""

from collections import Counter
from dataclasses import dataclass, field

from portal.devtools.sandbox.values import JsonObject, new_id, now_ms


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
    headline: str = ""
    location: str = ""
    emails: list[str] = field(default_factory=list)
    phones: list[JsonObject] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    is_anonymized: bool = False
    created_at: int = field(default_factory=now_ms)


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
    status: str = "active"


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
    updated_at: int = field(default_factory=now_ms)

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
    by_api: bool = True
    created_at: int = field(default_factory=now_ms)
    updated_at: int = field(default_factory=now_ms)


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


@dataclass
class Note:
    """A note with its comments; only notes made through the API can be changed through it."""

    id: str
    user: str | None
    comments: list[JsonObject]
    secret: bool = False
    by_api: bool = True
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
    inherited: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)
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
    last_advanced_at: int | None = None
    last_interaction_at: int = field(default_factory=now_ms)
    deleted_at: int | None = None
    deleted_by: str | None = None
    notes: dict[str, Note] = field(default_factory=dict)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)

    def mark_updated(self) -> None:
        """Record that the opportunity was changed just now."""
        self.updated_at = self.last_interaction_at = now_ms()
