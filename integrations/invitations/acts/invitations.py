"""What people do to an invitation: approve, cancel, resolve, send or invite again, decide, retry what failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.case.case import Case
from integrations.case.facts import is_chosen
from integrations.case.person import Person, blocking_elsewhere
from integrations.case.reconcile import changing
from integrations.catalog.models import Assessment
from integrations.core.act import Act
from integrations.core.invitation_status import UNSENT
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.holds import RELEASED_BY_CHOICE
from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import UNREAD, IllegalTransition, Invitation
from integrations.notifications.models.email_kind import timeline_link
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.sending import mark_sent
from integrations.privacy.models import Erasure
from integrations.store import database

ANOTHER_OPEN = "This person already has an open invitation to the same assessment."
ERASED = "This person's data was erased. To send them an assessment anyway, add them in Lever as a new opportunity."
ELSEWHERE = "The same person already has “{name}” through another opportunity: {standing}. See {link}"


@contextmanager
def _acting(invitation: Invitation, *acts: Act) -> Iterator[tuple[Case, Invitation]]:
    """Lock the candidate's rows and yield them with the invitation as it is now; then what follows is enqueued.

    The act's transaction goes on after it, for the log alone, whose end is locked after all else. Raises
    ActionNotAllowed unless its status allows one of the acts, or where somebody else has just decided.
    """
    try:
        organization = Organization.objects.lock(invitation.organization_id)
        with changing(organization, invitation.opportunity_id) as case:
            own = case.invitation(invitation.pk)
            if Erasure.objects.forbids(own.organization_id, own.opportunity_id):
                raise ActionNotAllowed(ERASED)
            if not set(acts) & set(own.allows):
                raise ActionNotAllowed(f"This invitation is {own.words.phrase}.")
            yield case, own
        invitation.refresh_from_db()
    except IllegalTransition as error:
        raise ActionNotAllowed("Somebody else has just decided this.") from error
    except IntegrityError as error:
        raise ActionNotAllowed(ANOTHER_OPEN) from error


def _require_nothing_elsewhere(invitation: Invitation, decided_at: datetime) -> None:
    """Raise ActionNotAllowed, saying where, when the same person has the assessment through another opportunity."""
    other = blocking_elsewhere(Person.of_invitation(invitation), invitation.assessment_id, decided_at)
    if other is not None:
        link = timeline_link(other.opportunity_id)
        name = invitation.assessment_name
        raise ActionNotAllowed(ELSEWHERE.format(name=name, standing=other.standing, link=link))


@transaction.atomic
def approve(invitation: Invitation, actor: Actor, reason: str = "") -> None:
    """Send a held invitation, if it is still wanted when the candidate is read again. Raises ActionNotAllowed.

    The reasons in `held_for` were shown and hold it no more; one that has come since holds it again.
    """
    with _acting(invitation, Act.APPROVE) as (_, own):
        _require_nothing_elsewhere(own, own.created_at)
        deliveries = own.deliveries.select_related("organization")
        own.move(Status.PENDING, "", checked_at=None, **UNREAD, is_chosen=any(map(is_chosen, deliveries)))
    audit(own, actor, AuditAction.APPROVE, {"status": (Status.HELD.value, own.status)}, reason)


@transaction.atomic
def cancel(invitation: Invitation, actor: Actor, reason: str = "", *, only_unsent: bool = False) -> None:
    """Cancel an invitation that hasn't been started, or couldn't be sent. Raises ActionNotAllowed.

    With `only_unsent`, for who believes that nothing was sent, one that was is left.
    """
    with _acting(invitation, Act.CANCEL) as (case, own):
        if only_unsent and own.status not in UNSENT:
            raise ActionNotAllowed(f"This invitation is already {own.words.phrase}.")
        before = own.status
        sentence = f"Cancelled by a person: {reason}" if reason else "Cancelled by a person."
        # who was possibly invited isn't invited again automatically
        called_at = own.first_call_at or (case.now if before == Status.UNCERTAIN else None)
        own.move(Status.WITHDRAWN, sentence, next_poll_at=None, stopped_by_user=True, first_call_at=called_at)
    audit(own, actor, AuditAction.CANCEL_INVITATION, {"status": (before, own.status)}, reason)


def free_instance(organization: Organization, written: str) -> str:
    """Return the id of an instance in CodeScreen that no invitation has. Raises ActionNotAllowed."""
    instance_id = written.strip()
    if not instance_id or len(instance_id) > 200:
        raise ActionNotAllowed("Give the id of the candidate's assessment instance in CodeScreen.")
    taken = Invitation.objects.filter(organization=organization, instance_id=instance_id).first()
    if taken is not None:
        raise ActionNotAllowed(f"That instance already belongs to another invitation: {taken}.")
    return instance_id


@transaction.atomic
def resolve_as_sent(invitation: Invitation, instance_id: str, actor: Actor, reason: str = "") -> None:
    """Mark an uncertain invitation as sent: it has this instance in CodeScreen. Raises ActionNotAllowed."""
    with _acting(invitation, Act.SETTLE) as (_, own):
        instance_id = free_instance(own.organization, instance_id)
        mark_sent(own, instance_id, own.first_call_at)
        changes = {
            "instance_id": ("", instance_id),
            "status": (Status.UNCERTAIN.value, own.status),
        }
    audit(own, actor, AuditAction.RESOLVE_AS_SENT, changes, reason)


@transaction.atomic
def send_again(invitation: Invitation, actor: Actor, reason: str = "", *, releases: bool = True) -> None:
    """Send an uncertain or failed invitation again, if it is still wanted. Raises ActionNotAllowed.

    Unless it `releases` what the rules hold, it may be held: who repeats a step that failed chooses nothing.
    """
    with _acting(invitation, Act.SEND_AGAIN, Act.SETTLE) as (_, own):
        _require_nothing_elsewhere(own, own.created_at)
        before = own.status
        was_uncertain = before == Status.UNCERTAIN
        released = list(RELEASED_BY_CHOICE) if releases else own.held_for
        again: dict[str, object] = {"checked_at": None, **UNREAD, "held_for": released}
        own.move(Status.PENDING, "", **again, is_chosen=was_uncertain, is_fixed=releases or own.is_fixed)
    audit(own, actor, AuditAction.SEND_AGAIN, {"status": (before, own.status)}, reason)


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


@transaction.atomic
def invite_again(invitation: Invitation, actor: Actor, reason: str = "") -> Invitation:
    """Create and return the next round of an invitation that is over. Raises ActionNotAllowed.

    It is sent wherever the candidate is; that they may be contacted, and their address, are read again before.
    """
    with _acting(invitation, Act.INVITE_AGAIN) as (case, own):
        if later := case.later_rounds(own):
            latest = max(one.round for one in later)
            raise ActionNotAllowed(f"Round {latest} of this invitation already exists.")
        deleted = Assessment.objects.filter(
            organization=case.organization, external_id=own.assessment_id, gone_at__isnull=False
        )
        if deleted.exists():
            raise ActionNotAllowed(f"“{own.assessment_name}” is no longer in CodeScreen.")
        _require_nothing_elsewhere(own, database.now())
        next_round = Invitation.objects.create(
            organization=case.organization,
            opportunity_id=own.opportunity_id,
            round=own.round + 1,
            in_any_stage=True,
            held_for=list(RELEASED_BY_CHOICE),
            is_fixed=True,
            **{name: getattr(own, name) for name in COPIED_TO_NEXT_ROUND},
        )
        next_round.refresh_from_db()
        next_round.organization = case.organization
        case.invitations.append(next_round)
        Candidate.objects.point_to(next_round)
        changes = {"round": (own.round, next_round.round), "invitation": (own.pk, next_round.pk)}
    audit(next_round, actor, AuditAction.INVITE_AGAIN, changes, reason)
    return next_round


def retry_effect(effect: Effect, actor: Actor) -> None:
    """Make a failed effect, or one that waits for its next attempt, due now. Raises ActionNotAllowed.

    Retrying an invitation that failed sends the invitation again.
    """
    with transaction.atomic():
        effect.refresh_from_db()
        if effect.kind == Effect.Kind.SEND_INVITATION and effect.invitation is not None:
            if effect.invitation.status == Status.FAILED:
                send_again(effect.invitation, actor, "retry", releases=False)
                return
            if effect.state != Effect.State.DUE:
                raise ActionNotAllowed("Decide on the candidate's page whether the invitation is sent.")
            # the candidate is read again before it is sent
            Invitation.objects.filter(pk=effect.invitation.pk, status=Status.PENDING).update(checked_at=None)
        if effect.state not in {Effect.State.FAILED, Effect.State.DUE}:
            raise ActionNotAllowed(
                f"{effect} is {effect.get_state_display().lower()}, so there is nothing to retry."
            )
        before = effect.state
        changed = Effect.objects.filter(pk=effect.pk, state=before, leased_until__isnull=True).update(
            state=Effect.State.DUE,
            due_at=Now(),
            attempts=0,
            consecutive_crashes=0,
            retry_window_started_at=Now(),
        )
        if not changed:
            raise ActionNotAllowed(f"{effect} is being done right now, or was just cancelled.")
        changes = {"state": (before, Effect.State.DUE.value)}
        audit(effect, actor, AuditAction.RETRY, changes)
