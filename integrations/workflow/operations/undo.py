"""Take back what was approved or retried a moment ago and hasn't begun."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Effect,
    IllegalTransition,
    Invitation,
    Organization,
    TargetKind,
)
from integrations.models.invitation_status import Status
from integrations.workflow.operations.errors import ActionNotAllowed

#: What is approved or retried for many at once begins so long afterwards.
UNDO_FOR = timedelta(seconds=30)
TAKEN_BACK = "The approval was taken back."
TOO_LATE = "It is too late to undo this: it has begun."
ON_HOLD = "It is on hold again already."


def take_back_approval(invitation: Invitation, actor: Actor) -> None:
    """Put an approved invitation on hold again. Raises ActionNotAllowed once a worker may have begun to send it."""
    with transaction.atomic():
        Organization.objects.lock(invitation.organization_id)
        invitation.lock()
        if invitation.status == Status.HELD:
            raise ActionNotAllowed(ON_HOLD)
        waiting = Effect.objects.filter(
            invitation=invitation,
            kind=Effect.Kind.SEND_INVITATION,
            state=Effect.State.DUE,
            due_at__gt=Now(),
            leased_until__isnull=True,
            attempts=0,
        )
        if invitation.status != Status.PENDING or not waiting.update(
            state=Effect.State.CANCELLED, due_at=None, last_error=TAKEN_BACK
        ):
            raise ActionNotAllowed(TOO_LATE)
        try:
            invitation.move(Status.HELD, TAKEN_BACK)
        except IllegalTransition as error:
            raise ActionNotAllowed(TOO_LATE) from error
        target = AuditTarget(TargetKind.INVITATION, invitation.pk, f"invitation {invitation.pk}")
        changes = {"status": (Status.PENDING.value, invitation.status)}
        AuditEntry.record(invitation.organization, actor, AuditAction.TAKE_BACK, target, changes)


def take_back_retry(effect: Effect, actor: Actor) -> None:
    """Let a retried effect stay failed. Raises ActionNotAllowed once a worker may have begun to perform it."""
    with transaction.atomic():
        changed = Effect.objects.filter(
            pk=effect.pk,
            state=Effect.State.DUE,
            due_at__gt=Now(),
            leased_until__isnull=True,
            attempts=0,
            failed_at__isnull=False,
        ).update(state=Effect.State.FAILED, due_at=None)
        if not changed:
            raise ActionNotAllowed(TOO_LATE)
        target = AuditTarget(TargetKind.EFFECT, effect.pk, str(effect))
        changes = {"state": (Effect.State.DUE.value, Effect.State.FAILED.value)}
        AuditEntry.record(effect.organization, actor, AuditAction.TAKE_BACK, target, changes)
