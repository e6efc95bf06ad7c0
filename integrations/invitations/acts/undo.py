"""Retry an effect; take back what was approved or retried a moment ago and hasn't begun."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed
from integrations.effects.follow_pass import follow_without
from integrations.effects.further import lock_together
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import send_again
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import IllegalTransition, Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.effect_queries import EffectQuerySet
from integrations.outbox.models import Effect
from integrations.store.database import due_after

#: What is approved or retried for many at once begins so long afterwards.
UNDO_FOR = timedelta(seconds=30)
TAKEN_BACK = "The approval was undone."
NOT_INVITED = "The invitation was undone."
TOO_LATE = "It is too late to undo this: it has started."
ON_HOLD = "It is on hold again already."


def take_back_approval(invitation: Invitation, actor: Actor) -> None:
    """Put an approved invitation on hold again. Raises ActionNotAllowed once a worker may have begun to send it."""
    with transaction.atomic():
        invitation.organization = Organization.objects.lock(invitation.organization_id)
        invitation.lock()
        if invitation.status == Status.HELD:
            raise ActionNotAllowed(ON_HOLD)
        _put_back(invitation, actor, Status.HELD, TAKEN_BACK)


def take_back_invite(candidate: Candidate, actor: Actor) -> None:
    """Leave a candidate that somebody chose to invite as they were. Raises ActionNotAllowed once it has begun."""
    with transaction.atomic():
        organization = Organization.objects.lock(candidate.organization_id)
        current = Candidate.objects.select_related("invitation").get(pk=candidate.pk)
        waiting = Delivery.objects.not_begun().filter(
            organization=candidate.organization_id,
            opportunity_id=candidate.opportunity_id,
            chosen_at__isnull=False,
        )
        delivery = waiting.first()
        if delivery is not None and waiting.filter(pk=delivery.pk).update(
            chosen_at=None, chosen_assessment="", due_at=None
        ):
            audit(delivery, actor, AuditAction.TAKE_BACK, {"decision": ("due", "taken back")})
        elif current.invitation is not None:
            current.invitation.organization = organization
            lock_together(current.invitation)
            current.invitation.lock()
            _undo_sending(current.invitation, actor)
        else:
            raise ActionNotAllowed(TOO_LATE)


def _undo_sending(invitation: Invitation, actor: Actor) -> None:
    """Leave the locked invitation as it was before somebody chose to send it. Raises ActionNotAllowed."""
    failed = _sending_of(invitation).filter(failed_at__isnull=False)
    reason = failed.values_list("last_error", flat=True).first()
    if reason is not None:
        _put_back(invitation, actor, Status.FAILED, reason, Effect.State.FAILED)
        return
    former = Invitation.objects.filter(
        organization=invitation.organization_id,
        opportunity_id=invitation.opportunity_id,
        assessment_id=invitation.assessment_id,
        round=invitation.round - 1,
        status=Status.WITHDRAWN,
    ).first()
    if former is None:
        _put_back(invitation, actor, Status.WITHDRAWN, NOT_INVITED)
    else:  # a round that was made for this sending stands as the one before it did
        _put_back(
            invitation, actor, Status.WITHDRAWN, former.status_reason, stopped_by_user=former.stopped_by_user
        )


def _put_back(
    invitation: Invitation,
    actor: Actor,
    status: Status,
    reason: str,
    sending: Effect.State = Effect.State.CANCELLED,
    *,
    stopped_by_user: bool = True,
) -> None:
    """Give the locked invitation this status, and its sending that state if it hasn't begun, else ActionNotAllowed."""
    waiting = _sending_of(invitation).not_begun().filter(state=Effect.State.DUE)
    if invitation.status != Status.PENDING or not waiting.update(
        state=sending, due_at=None, last_error=reason
    ):
        raise ActionNotAllowed(TOO_LATE)
    try:
        is_stopped = stopped_by_user and status == Status.WITHDRAWN
        invitation.move(status, reason, stopped_by_user=is_stopped)
        if status == Status.WITHDRAWN:
            follow_without(invitation)
    except IllegalTransition as error:
        raise ActionNotAllowed(TOO_LATE) from error
    changes = {"status": (Status.PENDING.value, invitation.status)}
    audit(invitation, actor, AuditAction.TAKE_BACK, changes)


def _sending_of(invitation: Invitation) -> EffectQuerySet:
    return Effect.objects.filter(invitation=invitation, kind=Effect.Kind.SEND_INVITATION)


def take_back_retry(effect: Effect, actor: Actor) -> None:
    """Let a retried effect stay failed. Raises ActionNotAllowed once a worker may have begun to perform it."""
    with transaction.atomic():
        retried = Effect.objects.not_begun().filter(
            pk=effect.pk, state=Effect.State.DUE, failed_at__isnull=False
        )
        if not retried.update(state=Effect.State.FAILED, due_at=None):
            raise ActionNotAllowed(TOO_LATE)
        changes = {"state": (Effect.State.DUE.value, Effect.State.FAILED.value)}
        audit(effect, actor, AuditAction.TAKE_BACK, changes)


def retry_effect(effect: Effect, actor: Actor, wait: timedelta = timedelta(0)) -> None:
    """Make a failed effect, or one that waits for its next attempt, due after `wait`. Raises ActionNotAllowed.

    Retrying an invitation that failed sends the invitation again, at once.
    """
    with transaction.atomic():
        effect.refresh_from_db()
        if effect.kind == Effect.Kind.SEND_INVITATION and effect.invitation is not None:
            if effect.invitation.status == Status.FAILED:
                send_again(effect.invitation, actor, "retry")
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
        # one that waits isn't given up when this is undone
        failed_at = effect.failed_at if before == Effect.State.FAILED else None
        changed = Effect.objects.filter(pk=effect.pk, leased_until__isnull=True).update(
            state=Effect.State.DUE,
            due_at=due_after(wait),
            attempts=0,
            consecutive_crashes=0,
            failed_at=failed_at,
            retry_window_started_at=Now(),
        )
        if not changed:
            raise ActionNotAllowed(f"{effect} is being done right now.")
        changes = {"state": (before, Effect.State.DUE.value)}
        audit(effect, actor, AuditAction.RETRY, changes)
