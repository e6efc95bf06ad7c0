"""What people do to an invitation: approve, cancel, resolve, send or invite again, decide."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.case.facts import is_chosen
from integrations.case.person import Person, blocking_elsewhere
from integrations.catalog.models.platform_lists import Assessment
from integrations.core.invitation_status import UNSENT, InvitationAct
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed, HoldReason
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import IllegalTransition, Invitation
from integrations.notifications.links import timeline_link
from integrations.organizations.models.organization import Organization
from integrations.outbox.kinds.invitation import enqueue_invitation
from integrations.outbox.kinds.messages import tell_cancelled
from integrations.outbox.models.effect import Effect
from integrations.outbox.sending import mark_invited
from integrations.privacy.models import Erasure
from integrations.store import database

ANOTHER_OPEN = "This person already has an open invitation to the same assessment."
ERASED = "This person's data was erased. To send them an assessment anyway, add them in Lever as a new opportunity."
ELSEWHERE = "The same person already has “{name}” through another opportunity: {standing}. See {link}"


def _require(invitation: Invitation, act: InvitationAct) -> None:
    """Lock the invitation and read it again. Raises ActionNotAllowed unless its status allows the act."""
    invitation.lock()
    if Erasure.objects.forbids(invitation.organization_id, invitation.opportunity_id):
        raise ActionNotAllowed(ERASED)
    if act not in invitation.allows:
        raise ActionNotAllowed(f"This invitation is {invitation.words.phrase}.")


def _require_nothing_elsewhere(invitation: Invitation, decided_at: datetime) -> None:
    """Raise ActionNotAllowed, saying where, when the same person has the assessment through another opportunity."""
    other = blocking_elsewhere(Person.of_invitation(invitation), invitation.assessment_id, decided_at)
    if other is not None:
        link = timeline_link(other.opportunity_id)
        name = invitation.assessment_name
        raise ActionNotAllowed(ELSEWHERE.format(name=name, standing=other.standing, link=link))


def approve(invitation: Invitation, actor: Actor, reason: str = "") -> None:
    """Send a held invitation, if it is still wanted when the candidate is read again. Raises ActionNotAllowed."""
    with transaction.atomic():
        invitation.organization = Organization.objects.lock(invitation.organization_id)
        _require(invitation, InvitationAct.APPROVE)
        _require_nothing_elsewhere(invitation, invitation.created_at)
        _move(invitation, Status.PENDING, checked_at=None)
        chosen = [is_chosen(delivery) for delivery in invitation.deliveries.select_related("organization")]
        enqueue_invitation(invitation, is_chosen=any(chosen))
        audit(
            invitation, actor, AuditAction.APPROVE, {"status": (Status.HELD.value, invitation.status)}, reason
        )


def cancel(invitation: Invitation, actor: Actor, reason: str = "", *, only_unsent: bool = False) -> None:
    """Cancel an invitation that hasn't been started, or couldn't be sent. Raises ActionNotAllowed.

    With `only_unsent`, for who believes that nothing was sent, one that was is left.
    """
    with transaction.atomic():
        _require(invitation, InvitationAct.CANCEL)
        if only_unsent and invitation.status not in UNSENT:
            raise ActionNotAllowed(f"This invitation is already {invitation.words.phrase}.")
        before = invitation.status
        sentence = f"Cancelled by a person: {reason}" if reason else "Cancelled by a person."
        _move(invitation, Status.WITHDRAWN, sentence, next_poll_at=None, stopped_by_user=True)
        ended: dict[str, object] = {
            "state": Effect.State.CANCELLED,
            "due_at": None,
            "last_error": "A person cancelled the invitation.",
        }
        if before == Status.FAILED and invitation.first_call_at is None:
            ended["attempt_started_at"] = None  # it was refused: else it would count as possibly sent
        Effect.objects.filter(
            invitation=invitation,
            kind=Effect.Kind.SEND_INVITATION,
            state__in=[Effect.State.DUE, Effect.State.UNCERTAIN, Effect.State.FAILED],
            leased_until__isnull=True,
        ).update(**ended)
        tell_cancelled(invitation, was_uncertain=before == Status.UNCERTAIN)
        audit(
            invitation, actor, AuditAction.CANCEL_INVITATION, {"status": (before, invitation.status)}, reason
        )


def resolve_as_sent(invitation: Invitation, instance_id: str, actor: Actor, reason: str = "") -> None:
    """Mark an uncertain invitation as sent: it has this instance in CodeScreen. Raises ActionNotAllowed."""
    instance_id = instance_id.strip()
    if not instance_id or len(instance_id) > 200:
        raise ActionNotAllowed("Give the id of the candidate's assessment instance in CodeScreen.")
    with transaction.atomic():
        _require(invitation, InvitationAct.RESOLVE)
        taken = Invitation.objects.filter(
            organization=invitation.organization, instance_id=instance_id
        ).first()
        if taken is not None:
            raise ActionNotAllowed(f"That instance already belongs to another invitation: {taken}.")
        mark_invited(invitation, instance_id)
        audit(
            invitation,
            actor,
            AuditAction.RESOLVE_AS_SENT,
            {"instance_id": ("", instance_id), "status": (Status.UNCERTAIN.value, invitation.status)},
            reason,
        )


def send_again(invitation: Invitation, actor: Actor, reason: str = "") -> None:
    """Send an uncertain or failed invitation again, if it is still wanted. Raises ActionNotAllowed."""
    with transaction.atomic():
        invitation.organization = Organization.objects.lock(invitation.organization_id)
        _require(invitation, InvitationAct.SEND_AGAIN)
        _require_nothing_elsewhere(invitation, invitation.created_at)
        before = invitation.status
        _move(invitation, Status.PENDING, checked_at=None, held_for=list(HoldReason))
        is_chosen = before == Status.UNCERTAIN
        enqueue_invitation(invitation, is_chosen=is_chosen)
        audit(invitation, actor, AuditAction.SEND_AGAIN, {"status": (before, invitation.status)}, reason)


#: The columns that a new round copies from the round before it.
COPIED_TO_NEXT_ROUND = (
    "contact_id",
    "candidate_name",
    "email",
    "role_id",
    "role_title",
    "stage_id",
    "stage_name",
    "assessment_id",
    "assessment_name",
    "mapping_id",
)


def invite_again(invitation: Invitation, actor: Actor, reason: str = "") -> Invitation:
    """Create and return the next round of an invitation that is over. Raises ActionNotAllowed.

    It is sent wherever the candidate is; that they may be contacted, and their address, are read again before.
    """
    try:
        with transaction.atomic():
            organization = Organization.objects.lock(invitation.organization_id)
            _require(invitation, InvitationAct.INVITE_AGAIN)
            rounds = Invitation.objects.filter(
                organization=invitation.organization,
                opportunity_id=invitation.opportunity_id,
                assessment_id=invitation.assessment_id,
            )
            latest = rounds.order_by("-round").first() or invitation
            if latest.pk != invitation.pk:
                raise ActionNotAllowed(f"Round {latest.round} of this invitation already exists.")
            deleted = Assessment.objects.filter(
                organization=invitation.organization,
                external_id=invitation.assessment_id,
                gone_at__isnull=False,
            )
            if deleted.exists():
                raise ActionNotAllowed(f"“{invitation.assessment_name}” is no longer in CodeScreen.")
            _require_nothing_elsewhere(invitation, database.now())
            next_round = Invitation.objects.create(
                organization=organization,
                opportunity_id=invitation.opportunity_id,
                round=latest.round + 1,
                in_any_stage=True,
                held_for=list(HoldReason),
                **{name: getattr(invitation, name) for name in COPIED_TO_NEXT_ROUND},
            )
            next_round.refresh_from_db()
            next_round.organization = organization
            Candidate.objects.point_to(next_round)
            enqueue_invitation(next_round)
            audit(
                next_round,
                actor,
                AuditAction.INVITE_AGAIN,
                {"round": (invitation.round, next_round.round), "invitation": (invitation.pk, next_round.pk)},
                reason,
            )
    except IntegrityError as error:
        raise ActionNotAllowed(ANOTHER_OPEN) from error
    return next_round


def _move(invitation: Invitation, status: Status, reason: str = "", **changes: Any) -> None:
    try:
        invitation.move(status, reason, **changes)
    except IllegalTransition as error:
        raise ActionNotAllowed("Somebody else has just decided this.") from error
    except IntegrityError as error:
        raise ActionNotAllowed(ANOTHER_OPEN) from error
