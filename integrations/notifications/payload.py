"""What the outbox keeps of one e-mail, or of one message to a chat room, until it is sent."""

import json
from dataclasses import dataclass
from typing import Any, Self

from integrations.invitations.models.invitation import Invitation
from integrations.notifications.models.email_kind import Fact, Line, Link
from integrations.outbox.models.enqueue import Payload


@dataclass(frozen=True)
class InvitationUnchanged:
    """The condition that an invitation has kept its status since a moment."""

    invitation: int
    status: str
    since: str

    @classmethod
    def of(cls, invitation: Invitation) -> Self:
        """Return the condition that the invitation stays as it is now."""
        return cls(invitation.pk, str(invitation.status), invitation.changed_at.isoformat())


@dataclass(frozen=True)
class IncidentOngoing:
    """That an incident isn't over."""

    incident: int


Condition = InvitationUnchanged | IncidentOngoing


def _stored_condition(stored: dict[str, Any] | None) -> Condition | None:
    """Return the condition as it was stored, None where there is none."""
    if not stored:
        return None
    return IncidentOngoing(**stored) if "incident" in stored else InvitationUnchanged(**stored)


def _stored_line(stored: dict[str, str] | str) -> Line:
    if isinstance(stored, str):
        return stored
    return Link(**stored) if "url" in stored else Fact(**stored)


@dataclass(frozen=True)
class Notice(Payload):
    """What members are told; where `holds_while` is given, nobody is told once that is no longer so.

    The candidate's name isn't in it: it is read when the notice is sent.
    """

    subject: str = ""
    lines: tuple[Line, ...] = ()
    holds_while: Condition | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the notice as it was stored; what is missing has its default."""
        lines = tuple(_stored_line(line) for line in stored.get("lines", ()))
        condition = _stored_condition(stored.get("holds_while"))
        return super().from_json(stored | {"lines": lines, "holds_while": condition})

    def to_json(self) -> dict[str, Any]:
        """Return what is stored, as it is read again."""
        stored: dict[str, Any] = json.loads(json.dumps(super().to_json()))
        return stored


@dataclass(frozen=True)
class EmailPayload(Notice):
    """One e-mail: what it says, who gets it, and how far it has been sent.

    `requested` is what a member asks the Super Admins for, `pending_membership` the key of the one that the e-mail
    invites to.
    """

    recipients: tuple[str, ...] = ()
    requested: str = ""
    pending_membership: int | None = None
    sent_to: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the payload as `to_json` wrote it; what is missing has its default."""
        own = {name: tuple(stored.get(name, ())) for name in ("recipients", "sent_to")}
        return super().from_json(stored | own)

    @property
    def texts(self) -> list[str]:
        """All that it says, and the addresses that it leads to."""
        lines = [[line] if isinstance(line, str) else list(vars(line).values()) for line in self.lines]
        return [self.subject, *(text for line in lines for text in line)]
