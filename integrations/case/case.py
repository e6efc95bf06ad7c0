"""All rows of one candidate in one organization, read at once; what depends on them is asked in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from integrations.catalog.models import RoleMapping
from integrations.core.act import Act
from integrations.core.invitation_status import FOLLOWED
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.store import database
from integrations.store.database import locked_rows, rows_of


@dataclass(frozen=True)
class Decided:
    """What was just decided about the candidate, as a note in Lever may say it."""

    verdict: VerdictCode
    explanation: str
    next_step: str
    delivery: Delivery


@dataclass(eq=False)
class Case:
    """One candidate: the invitations with the mappings whose rules hold, the latest results, and the effects.

    `results` are by the invitation, and so are the `attempts` that they are the latest of. `waits_for_pause` is the
    delivery of somebody who waits for the end of a pause; `decided` is what the present change decides, and `advice`
    what a recruiter can do about an invitation that it finds can't be sent. `now` is the database's time when it was
    read.
    """

    organization: Organization
    opportunity_id: str
    now: datetime
    invitations: list[Invitation] = field(default_factory=list)
    results: dict[int, Result] = field(default_factory=dict)
    attempts: dict[int, list[Result]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    waits_for_pause: Delivery | None = None
    decided: Decided | None = None
    advice: dict[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls, organization: Organization, opportunity_id: str, *, is_locked: bool = False) -> Self:
        """Return the candidate's rows as they are now; where `is_locked`, nobody else changes them until the end.

        Three queries, one more where mappings led to the invitations; one for somebody without an invitation.
        """
        case = cls(organization, opportunity_id, database.now())
        case.read_invitations(is_locked=is_locked)
        if case.invitations:
            # messages to members have a topic: each is enqueued once, by the change that brings it about
            is_own = "organization_id = %s AND opportunity_id = %s AND email_topic = '' ORDER BY id"
            case.effects = rows_of(Effect, is_own, organization.pk, opportunity_id)
        return case

    def read_invitations(self, *, is_locked: bool = False) -> None:
        """Read the invitations with their results."""
        read = locked_rows if is_locked else rows_of
        is_own = "organization_id = %s AND opportunity_id = %s ORDER BY id"
        self.invitations = read(Invitation, is_own, self.organization.pk, self.opportunity_id)
        keys = sorted({one.mapping_id for one in self.invitations if one.mapping_id})
        places = ", ".join(["%s"] * len(keys))
        mappings = {one.pk: one for one in rows_of(RoleMapping, f"id IN ({places})", *keys)} if keys else {}
        for invitation in self.invitations:
            invitation.organization = self.organization
            if invitation.mapping_id:
                invitation.mapping = mappings.get(invitation.mapping_id)
        if any(invitation.instance_id for invitation in self.invitations):
            for result in Result.objects.filter(invitation__in=self.invitations).order_by("attempt"):
                self.attempts.setdefault(result.invitation_id, []).append(result)
                self.results[result.invitation_id] = result

    @property
    def own(self) -> dict[str, Any]:
        """The columns by which rows belong to the candidate, for a query."""
        return {"organization": self.organization, "opportunity_id": self.opportunity_id}

    def invitation(self, pk: int) -> Invitation:
        """Return the candidate's invitation with this key. Raises Invitation.DoesNotExist."""
        found = next((one for one in self.invitations if one.pk == pk), None)
        if found is None:
            raise Invitation.DoesNotExist
        return found

    def later_rounds(self, invitation: Invitation) -> list[Invitation]:
        """Return the later rounds of the same assessment."""
        same = (one for one in self.invitations if one.assessment_id == invitation.assessment_id)
        return [one for one in same if one.round > invitation.round]

    def acts_on(self, invitation: Invitation) -> tuple[Act, ...]:
        """Return what a person may do to an invitation now; what goes on is the later round."""
        is_followed = bool(self.later_rounds(invitation))
        return tuple(act for act in invitation.allows if not (is_followed and act == Act.INVITE_AGAIN))

    def is_overtaken(self, invitation: Invitation) -> bool:
        """Whether a later round of the same assessment was sent, and isn't cancelled."""
        later = self.later_rounds(invitation)
        return any(one.instance_id and one.status != Status.WITHDRAWN for one in later)

    def shown_invitation(self) -> Invitation | None:
        """Return the invitation that the progress tag tells of; None while none was sent.

        One that the candidate has still to finish goes before one that is over, and that before one that was cancelled;
        among them the last one sent.
        """
        shown_statuses = {*FOLLOWED, Status.COMPLETED, Status.WITHDRAWN}
        sent = [
            one
            for one in self.invitations
            if one.instance_id and one.status in shown_statuses and not one.erased_at
        ]
        return max((one for one in sent if not self.is_overtaken(one)), key=_standing, default=None)

    def effects_about(self, kind: str, about: str) -> list[Effect]:
        """Return the effects of a kind about the same thing, oldest first."""
        return [effect for effect in self.effects if effect.kind == kind and effect.about == about]

    def moves(self, invitations: Iterable[Invitation]) -> list[Effect]:
        """Return the moves to another stage that these invitations led to."""
        keys = {invitation.pk for invitation in invitations}
        moves = (effect for effect in self.effects if effect.kind == Effect.Kind.MOVE_STAGE)
        return [effect for effect in moves if effect.invitation_id in keys]


def _standing(invitation: Invitation) -> tuple[bool, bool, datetime, int]:
    is_open = invitation.status in FOLLOWED and not invitation.following_ended
    is_cancelled = invitation.status == Status.WITHDRAWN
    return is_open, not is_cancelled, invitation.invited_at or invitation.created_at, invitation.pk
