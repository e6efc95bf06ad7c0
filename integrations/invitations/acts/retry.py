"""Retry what failed, or waits for its next attempt."""

from django.db import transaction
from django.db.models.functions import Now

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.acts.invitations import send_again
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect


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
