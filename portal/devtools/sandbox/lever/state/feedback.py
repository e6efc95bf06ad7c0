"""Feedback templates, and the forms people fill in by them."""

from dataclasses import dataclass, field

from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.times import now_ms


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
