"""Retry an effect."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from integrations.invitation_status import InvitationStatus as Status
from integrations.models import (
    Actor,
    AuditAction,
    Effect,
    Invitation,
    audit,
)
from integrations.models.db_clock import due_after
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.invitations import send_again


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
                raise ActionNotAllowed("Decide on the invitation itself whether it is sent.")
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
