"""What an account hires for and along which steps: postings, stages, archive reasons."""

from dataclasses import dataclass, field

from portal.devtools.sandbox.times import now_ms


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
