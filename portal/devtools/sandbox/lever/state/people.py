"""The people of an account: its users, and the contacts who apply."""

from dataclasses import dataclass, field

from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.times import now_ms


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
