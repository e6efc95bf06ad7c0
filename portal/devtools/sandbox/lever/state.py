"""What a Lever account holds: contacts, opportunities, postings, users, stages, webhooks."""

from collections import Counter
from dataclasses import dataclass, field

from portal.devtools.sandbox.ids import Json, new_id, new_token, now_ms

EVENTS = (
    "candidateStageChange",
    "candidateArchiveChange",
    "applicationCreated",
    "candidateHired",
    "candidateDeleted",
    "contactCreated",
    "contactUpdated",
    "interviewCreated",
    "interviewUpdated",
    "interviewDeleted",
)
EVENT_LABELS = {
    "candidateStageChange": "Candidate Stage Change",
    "candidateArchiveChange": "Candidate Archive Change",
    "applicationCreated": "Application Created",
    "candidateHired": "Candidate Hired",
    "candidateDeleted": "Candidate Deleted",
    "contactCreated": "Contact Created",
    "contactUpdated": "Contact Updated",
    "interviewCreated": "Interview Created",
    "interviewUpdated": "Interview Updated",
    "interviewDeleted": "Interview Deleted",
}
ORIGIN_EVENTS = frozenset(
    {"applicationCreated", "candidateArchiveChange", "candidateHired", "candidateStageChange"}
)
ORIGINS = ("applied", "sourced", "referred", "university", "internal", "agency")
ROLES = ("super admin", "admin", "team member", "limited team member", "interviewer")


@dataclass
class User:
    """Somebody who works in the account."""

    id: str
    name: str
    email: str
    role: str = "team member"
    created_at: int = field(default_factory=now_ms)
    deactivated_at: int | None = None


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
class Contact:
    """A person."""

    id: str
    name: str
    headline: str = ""
    location: str = ""
    emails: list[str] = field(default_factory=list)
    phones: list[Json] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    is_anonymized: bool = False
    created_at: int = field(default_factory=now_ms)


@dataclass
class Note:
    """A note with its comments; only notes made through the API can be changed through it."""

    id: str
    user: str | None
    comments: list[Json]
    secret: bool = False
    by_api: bool = True
    created_at: int = field(default_factory=now_ms)


@dataclass
class Feedback:
    """A filled-in feedback form; its fields keep the ids they had in the template at that time."""

    id: str
    user: str
    template_id: str
    text: str
    instructions: str
    fields: list[Json]
    created_at: int
    completed_at: int | None
    updated_at: int | None = None
    deleted_at: int | None = None


@dataclass
class File:
    """A file on an opportunity."""

    id: str
    name: str
    content: bytes
    content_type: str
    uploaded_at: int = field(default_factory=now_ms)


@dataclass
class FeedbackTemplate:
    """A feedback form to fill in."""

    id: str
    text: str
    instructions: str
    fields: list[Json]
    by_api: bool = True
    created_at: int = field(default_factory=now_ms)
    updated_at: int = field(default_factory=now_ms)


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
    posting_id: str | None = None
    application_id: str = field(default_factory=new_id)
    confidentiality: str = "non-confidential"
    archived: Json | None = None
    data_protection: Json | None = None
    stage_changes: list[Json] = field(default_factory=list)
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

    def touch(self) -> None:
        """Mark the opportunity as changed just now."""
        self.updated_at = self.last_interaction_at = now_ms()


@dataclass
class Webhook:
    """One address that hears of one event."""

    id: str
    event: str
    url: str
    origins: list[str] = field(default_factory=lambda: list(ORIGINS))
    signature_token: str = field(default_factory=new_token)
    by_api: bool = False
    created_at: int = field(default_factory=now_ms)
    updated_at: int = field(default_factory=now_ms)
