"""Webhooks, and the events they can be for."""

from dataclasses import dataclass, field

from portal.devtools.sandbox.ids import new_token
from portal.devtools.sandbox.times import now_ms

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
EVENTS = tuple(EVENT_LABELS)
# Webhooks of these events can be limited to opportunities of some origins.
ORIGIN_EVENTS = frozenset(
    {"applicationCreated", "candidateArchiveChange", "candidateHired", "candidateStageChange"}
)
ORIGINS = ("applied", "sourced", "referred", "university", "internal", "agency")


@dataclass
class Webhook:
    """One address that is sent one event."""

    id: str
    event: str
    url: str
    origins: list[str] = field(default_factory=lambda: list(ORIGINS))
    signature_token: str = field(default_factory=new_token)
    by_api: bool = False
    created_at: int = field(default_factory=now_ms)
    updated_at: int = field(default_factory=now_ms)
