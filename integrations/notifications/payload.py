"""What the outbox keeps of one e-mail or alert until it is sent."""

import json
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from typing import Any, Self

from integrations.invitations.models.invitation import Invitation
from integrations.notifications.models.email_kind import EmailWording, Line, Link
from integrations.outbox.enqueue import Payload

MAX_DIGEST_LINES = 300


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


def stored_condition(stored: dict[str, Any] | None) -> Condition | None:
    """Return the condition as it was stored, None where there is none."""
    if not stored:
        return None
    return IncidentOngoing(**stored) if "incident" in stored else InvitationUnchanged(**stored)


@dataclass(frozen=True)
class Notice(Payload):
    """One thing that an e-mail says; where `holds_while` is given, it is left out once that is no longer so.

    `opportunity_id` is that of the one candidate that it is about; empty where it is about none or several.
    """

    subject: str = ""
    lines: tuple[Line, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    holds_while: Condition | None = None
    key: str = ""
    opportunity_id: str = ""

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the notice as it was stored; what is missing has its default."""
        lines = tuple(Link(**line) if isinstance(line, dict) else line for line in stored.get("lines", ()))
        condition = stored_condition(stored.get("holds_while"))
        return super().from_json(stored | {"lines": lines, "holds_while": condition})

    @property
    def texts(self) -> list[str]:
        """All that it says, and the addresses that it leads to."""
        lines = [[line.label, line.url] if isinstance(line, Link) else [line] for line in self.lines]
        return [self.subject, *chain.from_iterable(lines), *self.variables.values()]


@dataclass(frozen=True)
class EmailPayload(Notice):
    """One e-mail: what it says, who gets it, and how far it has been sent.

    Several notices may share the e-mail as a digest: `appended` are those that joined it. A notice that no
    longer fits is kept without its text, and the e-mail counts it. `pending_membership` is the key of the one that the
    e-mail invites to.
    """

    recipients: tuple[str, ...] = ()
    wording: EmailWording | None = None
    requested: str = ""
    pending_membership: int | None = None
    sent_to: tuple[str, ...] = ()
    appended: tuple[Notice, ...] = ()

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the payload as `to_json` wrote it; what is missing has its default."""
        wording = stored.get("wording")
        own = {
            "recipients": tuple(stored.get("recipients", ())),
            "wording": EmailWording(**wording) if wording else None,
            "sent_to": tuple(stored.get("sent_to", ())),
            "appended": tuple(Notice.from_json(notice) for notice in stored.get("appended", ())),
        }
        return super().from_json(stored | own)

    def to_json(self) -> dict[str, Any]:
        """Return what is stored, as it is read again."""
        stored: dict[str, Any] = json.loads(json.dumps(super().to_json()))
        return stored

    @property
    def notices(self) -> tuple[Notice, ...]:
        first = Notice(**{column.name: getattr(self, column.name) for column in fields(Notice)})
        return (first, *self.appended)

    @property
    def left_out(self) -> int:
        """How many of the notices are counted only."""
        return sum(not notice.lines for notice in self.notices)

    @property
    def is_about_several(self) -> bool:
        """Whether it is a digest: then it shows only the lines of each notice, or counts it."""
        return bool(self.appended or self.left_out)

    def with_appended(self, notice: Notice) -> Self:
        """Return the payload with another notice in it; what it says is left out when the e-mail is full.

        Each notice of half an hour reads and writes all of it, and the connection keeps room for the longest.
        """
        used = sum(len(known.lines) for known in self.notices)
        if used + len(notice.lines) > MAX_DIGEST_LINES:
            notice = Notice(
                holds_while=notice.holds_while, key=notice.key, opportunity_id=notice.opportunity_id
            )
        return replace(self, appended=(*self.appended, notice))

    def with_notices(self, first: Notice, *others: Notice) -> Self:
        return replace(self, **vars(first), appended=others)


@dataclass(frozen=True)
class AlertPayload(Payload):
    """One alert to one address. No name is in it: it is read when the alert is sent.

    `address` is the key of the AlertAddress, `type` an AlertTopic. A result has `result` in words, `outcome` and
    `score`; everything else has a `subject` and perhaps `lines`, and a `phase` where it begins or ends.
    An erased payload is empty, and nothing is sent then.
    """

    address: int = 0
    type: str = ""
    phase: str = ""
    subject: str = ""
    lines: tuple[str, ...] = ()
    link: str = ""
    result: str = ""
    outcome: str = ""
    score: str = ""
    holds_while: Condition | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the payload as it was stored; what is missing has its default."""
        condition = stored_condition(stored.get("holds_while"))
        return super().from_json(stored | {"lines": tuple(stored.get("lines", ())), "holds_while": condition})
