"""An opportunity, with the notes, feedback and files on it."""

from collections import Counter
from dataclasses import dataclass, field

from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.state.feedback import Feedback
from portal.devtools.sandbox.times import now_ms


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
