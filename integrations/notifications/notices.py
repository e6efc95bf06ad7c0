"""Notices to members: what the outbox keeps of one, whether it still holds when it is sent, and who is told."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from integrations.core.finding_code import FindingCode
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.health.models import Incident
from integrations.invitations.models.candidate import Candidate, OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import (
    EmailKind,
    EmailTopic,
    Fact,
    Line,
    Link,
    members_getting,
    unsubscribe_link,
)
from integrations.notifications.rendering import ComposedEmail, RenderedEmail, render
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import Payload

# What the outbox keeps of one e-mail, or of one message to a chat room, until it is sent.


@dataclass(frozen=True)
class InvitationUnchanged:
    """The condition that an invitation has kept its status since a moment, and is followed as then."""

    invitation: int
    status: str
    since: str
    following_ended: str = ""

    @classmethod
    def of(cls, invitation: Invitation) -> Self:
        """Return the condition that the invitation stays as it is now."""
        since = invitation.changed_at.isoformat()
        return cls(invitation.pk, str(invitation.status), since, str(invitation.following_ended))


@dataclass(frozen=True)
class ResultUnchanged:
    """The condition that an invitation is completed, and that its latest result says the same; `says` is a hash."""

    invitation: int
    says: str

    @classmethod
    def of(cls, result: Result) -> Self:
        """Return the condition that the result says what members are told of it now."""
        told = (result.outcome, result.score_text, result.failure_reason, result.report_url)
        return cls(result.invitation_id, hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:20])


@dataclass(frozen=True)
class ConnectionUnchanged:
    """The condition that Lever was not connected again since, and accepts the connection or not as then."""

    connection: int
    connected_at: str
    state: str

    @classmethod
    def of(cls, connection: LeverConnection) -> Self:
        """Return the condition that the connection stays as it is now."""
        return cls(connection.pk, str(connection.connected_at), str(connection.state))


@dataclass(frozen=True)
class IncidentOngoing:
    """That an incident isn't over."""

    incident: int


Condition = InvitationUnchanged | ResultUnchanged | ConnectionUnchanged | IncidentOngoing


def _stored_condition(stored: dict[str, Any] | None) -> Condition | None:
    """Return the condition as it was stored, None where there is none."""
    if not stored:
        return None
    if "incident" in stored:
        return IncidentOngoing(**stored)
    if "connection" in stored:
        return ConnectionUnchanged(**stored)
    return ResultUnchanged(**stored) if "says" in stored else InvitationUnchanged(**stored)


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

    `requested` is the act that a member asks for, `pending_membership` the key of the one that the e-mail
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


# What a candidate and a result are called in a subject.


#: What may stand before a name and isn't one.
_TITLES = frozenset({"candidate", "dr", "mr", "mrs", "ms", "prof"})
#: What stands for a name that isn't known. An erasure takes it for nobody's name.
UNNAMED = "A candidate"


def first_name(name: str) -> str:
    """Return the first word of a name after titles such as “Dr.”; without one, words that stand for it."""
    words = name.split()
    named = [word for word in words if word.casefold().rstrip(".") not in _TITLES]
    return next(iter(named or words), UNNAMED).rstrip(",")


# Each member's notice.


NO_LONGER_TRUE = "Not sent, because what it says was no longer true."
#: So many of those who need approval are named.
MOST_NAMED = 10


def still_holds(condition: Condition | None) -> bool:
    """Whether a condition is as it was when it was stored; no condition always is."""
    match condition:
        case None:
            return True
        case IncidentOngoing(incident):
            return Incident.objects.ongoing().filter(pk=incident).exists()
        case InvitationUnchanged(pk):
            invitation = Invitation.objects.filter(pk=pk).first()
            return invitation is not None and InvitationUnchanged.of(invitation) == condition
        case ConnectionUnchanged(pk):
            connection = LeverConnection.objects.filter(pk=pk).first()
            return connection is not None and ConnectionUnchanged.of(connection) == condition
        case ResultUnchanged(pk):
            completed = Result.objects.filter(invitation=pk, invitation__status=Status.COMPLETED)
            result = completed.order_by("-attempt").first()
            return result is not None and ResultUnchanged.of(result) == condition


def render_notice(effect: Effect, notice: Notice) -> RenderedEmail:
    """Return what the effect tells, with the names of candidates as they are known now."""
    subject, lines = notice.subject, list(notice.lines)
    if isinstance(notice.holds_while, IncidentOngoing):
        lines[1:1] = _names_of_held(notice.holds_while.incident)
    if effect.opportunity_id:
        name, role = _who(effect)
        subject = f"{first_name(name)}: {subject}"
        lines = [" · ".join(filter(None, (name or UNNAMED, role))), *lines]
    return render(subject, lines)


def _who(effect: Effect) -> tuple[str, str]:
    """Return the name and role of the candidate that the effect is about, as they are known now."""
    if effect.invitation is not None:
        return effect.invitation.candidate_name, effect.invitation.role_title
    own = {"organization": effect.organization_id, "opportunity_id": effect.opportunity_id}
    candidate = Candidate.objects.filter(**own).first()
    return (candidate.name, candidate.role_title) if candidate else ("", "")


def _names_of_held(incident: int) -> list[str]:
    """Return one line with who needs approval; none where the incident is another one."""
    held = Invitation.objects.filter(
        status=Status.HELD,
        organization__incidents=incident,
        organization__incidents__code=FindingCode.HELD_INVITATIONS,
    ).exclude(candidate_name="")
    names = list(held.order_by("-changed_at", "-pk").values_list("candidate_name", flat=True)[:MOST_NAMED])
    more = held.count() - len(names)
    return [", ".join(names) + (f" and {more} more" if more else "")] if names else []


def compose_notice(effect: Effect, kind: EmailKind, payload: EmailPayload) -> ComposedEmail:
    """Return the notice to those of its recipients who still get its kind, each with a link to unsubscribe from it."""
    recipients = {address.casefold() for address in payload.recipients}
    links = {
        member.user.email: unsubscribe_link(member, kind)
        for member in members_getting(effect.organization, kind)
        if member.user.email.casefold() in recipients and _is_told(member, effect)
    }
    return ComposedEmail(render_notice(effect, payload), links)


def _is_told(member: Membership, effect: Effect) -> bool:
    """Whether the member may read what the effect tells.

    What is about no single candidate, such as an incident, may name several: a Limited Team Member isn't told.
    """
    if member.sees_all_candidates or EmailTopic(effect.email_topic).record.is_about_connection:
        return True
    own = OpportunityPerson.objects.of_member(member)
    return own.filter(opportunity_id=effect.opportunity_id).exists()
