"""What people do: approve, refuse, resolve, send or invite again, stop following, retry, replay; each is audited."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.models import (
    Actor,
    Assessment,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Delivery,
    Effect,
    IllegalTransition,
    Invitation,
    Organization,
    TargetKind,
)
from integrations.models.delivery import WAITING_VERDICTS
from integrations.models.invitation import Status
from integrations.workflow.inbox import delivery_handling
from integrations.workflow.outbox import enqueue
from integrations.workflow.results.invited import mark_invited
from integrations.workflow.rules.facts import Decision

ANOTHER_OPEN = "Another invitation of this person to the same assessment is on its way."


class ActionNotAllowed(Exception):
    """The row is not in a state that allows this; the message says why."""


def _target(invitation: Invitation) -> AuditTarget:
    return AuditTarget(TargetKind.INVITATION, invitation.pk, f"invitation {invitation.pk}")


def _require(invitation: Invitation, *statuses: str) -> None:
    """Read the invitation as it is, nobody else's to change until the transaction's end. Raises NotPossible."""
    invitation.refresh_from_db(from_queryset=Invitation.objects.locked())
    if invitation.status not in statuses:
        raise ActionNotAllowed(f"Invitation {invitation.pk} is {invitation.get_status_display().lower()}.")


def approve(invitation: Invitation, actor: Actor, reason: str = "") -> None:
    """Let a held invitation go out. Raises NotPossible."""
    with transaction.atomic():
        _require(invitation, Status.HELD)
        _move(invitation, Status.PENDING)
        enqueue.enqueue_invitation(invitation)
        AuditEntry.record(
            invitation.organization,
            actor,
            AuditAction.APPROVE,
            _target(invitation),
            {"status": (Status.HELD.value, invitation.status)},
            reason,
        )


def refuse(invitation: Invitation, actor: Actor, reason: str = "") -> None:
    """Say no to a held invitation: it is withdrawn. Raises NotPossible."""
    with transaction.atomic():
        _require(invitation, Status.HELD)
        _move(invitation, Status.WITHDRAWN, f"Refused. {reason}".strip(), stopped_by_user=True)
        AuditEntry.record(
            invitation.organization,
            actor,
            AuditAction.REFUSE,
            _target(invitation),
            {"status": (Status.HELD.value, invitation.status)},
            reason,
        )


def resolve_as_sent(invitation: Invitation, instance_id: str, actor: Actor, reason: str = "") -> None:
    """Record that an uncertain invitation did arrive, as this instance in CodeScreen. Raises NotPossible."""
    instance_id = instance_id.strip()
    if not instance_id or len(instance_id) > 200:
        raise ActionNotAllowed("Give the id of the candidate's assessment instance in CodeScreen.")
    with transaction.atomic():
        _require(invitation, Status.UNCERTAIN)
        taken = Invitation.objects.filter(
            organization=invitation.organization, instance_id=instance_id
        ).first()
        if taken is not None:
            raise ActionNotAllowed(f"That instance belongs to invitation {taken.pk} already.")
        mark_invited(invitation, instance_id)
        AuditEntry.record(
            invitation.organization,
            actor,
            AuditAction.RESOLVE_AS_SENT,
            _target(invitation),
            {"instance_id": ("", instance_id), "status": (Status.UNCERTAIN.value, invitation.status)},
            reason,
        )


def send_again(invitation: Invitation, actor: Actor, reason: str = "") -> None:
    """Send an uncertain or failed invitation again, on a person's word. Raises NotPossible."""
    with transaction.atomic():
        _require(invitation, Status.UNCERTAIN, Status.FAILED)
        before = invitation.status
        _move(invitation, Status.PENDING)
        enqueue.enqueue_invitation(invitation)
        AuditEntry.record(
            invitation.organization,
            actor,
            AuditAction.SEND_AGAIN,
            _target(invitation),
            {"status": (before, invitation.status)},
            reason,
        )


#: What a new round has in common with the one before it.
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
)


def invite_again(invitation: Invitation, actor: Actor, reason: str = "") -> Invitation:
    """Begin a new round of an invitation that is over, with the same data; the new one. Raises NotPossible."""
    try:
        with transaction.atomic():
            _require(invitation, Status.COMPLETED, Status.WITHDRAWN)
            rounds = Invitation.objects.filter(
                organization=invitation.organization,
                opportunity_id=invitation.opportunity_id,
                assessment_id=invitation.assessment_id,
            )
            latest = rounds.order_by("-round").first() or invitation
            if latest.pk != invitation.pk:
                raise ActionNotAllowed(f"Round {latest.round} of this invitation exists already: look there.")
            _still_invitable(invitation)
            again = Invitation.objects.create(
                organization=invitation.organization,
                opportunity_id=invitation.opportunity_id,
                round=latest.round + 1,
                **{name: getattr(invitation, name) for name in COPIED_TO_NEXT_ROUND},
            )
            again.refresh_from_db()
            # another try is what was decided about who failed
            Invitation.objects.filter(pk=invitation.pk).update(awaits_decision_since=None)
            enqueue.enqueue_invitation(again)
            AuditEntry.record(
                invitation.organization,
                actor,
                AuditAction.INVITE_AGAIN,
                _target(again),
                {"round": (invitation.round, again.round), "invitation": (invitation.pk, again.pk)},
                reason,
            )
    except IntegrityError as error:
        raise ActionNotAllowed(ANOTHER_OPEN) from error
    return again


def _still_invitable(invitation: Invitation) -> None:
    if "@" not in invitation.email:
        raise ActionNotAllowed(
            "The e-mail address is no longer kept here: move the candidate into the stage again in Lever."
        )
    gone = Assessment.objects.filter(
        organization=invitation.organization,
        external_id=invitation.assessment_id,
        gone_at__isnull=False,
    )
    if gone.exists():
        raise ActionNotAllowed(f"“{invitation.assessment_name}” is no longer in CodeScreen.")


def stop_following(invitation: Invitation, actor: Actor, reason: str = "") -> None:
    """Stop following an invitation that hasn't been started: CodeScreen is asked no more. Raises NotPossible."""
    with transaction.atomic():
        _require(invitation, Status.PENDING, Status.UNCERTAIN, Status.INVITED)
        before = invitation.status
        changes = {"next_poll_at": None, "stopped_by_user": True}
        _move(invitation, Status.WITHDRAWN, f"Not followed any more. {reason}".strip(), **changes)
        Effect.objects.filter(
            invitation=invitation,
            kind=Effect.Kind.SEND_INVITATION,
            state__in=[Effect.State.DUE, Effect.State.UNCERTAIN],
            leased_until__isnull=True,
        ).update(state=Effect.State.CANCELLED, due_at=None, last_error="Somebody stopped following it.")
        AuditEntry.record(
            invitation.organization,
            actor,
            AuditAction.STOP_FOLLOWING,
            _target(invitation),
            {"status": (before, invitation.status)},
            reason,
        )


def record_decision(invitation: Invitation, actor: Actor, reason: str = "") -> None:
    """Record that a person decided about a candidate who failed: nobody is asked any more. Raises NotPossible."""
    with transaction.atomic():
        rows = Invitation.objects.awaiting_decision().filter(pk=invitation.pk)
        if not rows.update(awaits_decision_since=None):
            raise ActionNotAllowed(f"Invitation {invitation.pk} doesn't wait for a decision.")
        AuditEntry.record(
            invitation.organization, actor, AuditAction.RECORD_DECISION, _target(invitation), reason=reason
        )


def retry_effect(effect: Effect, actor: Actor) -> None:
    """Try a failed or cancelled effect again, or a waiting one at once. Raises NotPossible."""
    with transaction.atomic():
        effect.refresh_from_db()
        if effect.kind == Effect.Kind.SEND_INVITATION and effect.invitation is not None:
            if effect.invitation.status == Status.FAILED:
                send_again(effect.invitation, actor, "retry")
                return
            if effect.state != Effect.State.DUE:
                raise ActionNotAllowed("Whether the invitation goes out is decided on the invitation itself.")
        if effect.state not in {Effect.State.FAILED, Effect.State.DUE}:
            raise ActionNotAllowed(
                f"{effect} is {effect.get_state_display().lower()}: there is nothing to try again."
            )
        before = effect.state
        changed = Effect.objects.filter(pk=effect.pk, leased_until__isnull=True).update(
            state=Effect.State.DUE,
            due_at=Now(),
            attempts=0,
            consecutive_crashes=0,
            retry_window_started_at=Now(),
        )
        if not changed:
            raise ActionNotAllowed(f"{effect} is being performed this moment.")
        target = AuditTarget(TargetKind.EFFECT, effect.pk, str(effect))
        changes = {"state": (before, Effect.State.DUE.value)}
        AuditEntry.record(effect.organization, actor, AuditAction.RETRY, target, changes)


def replay(delivery: Delivery, clients: ClientProvider, actor: Actor) -> Decision:
    """Decide a stored Lever delivery again; its verdict is replaced. Raises NotPossible and PlatformError."""
    if delivery.platform != Delivery.Platform.LEVER:
        raise ActionNotAllowed("Only Lever's deliveries are decided; CodeScreen's are a reason to ask.")
    before = delivery.verdict
    claimed = delivery.lease()
    if claimed is None:
        raise ActionNotAllowed("A worker is deciding this delivery at the moment.")
    try:
        decision = delivery_handling.decide_delivery(claimed, clients)
    except delivery_handling.LeaseLost as error:
        raise ActionNotAllowed(
            "A worker decided this delivery meanwhile: its verdict is on its page."
        ) from error
    except BaseException:
        claimed.release()
        raise
    target = AuditTarget(TargetKind.DELIVERY, delivery.pk, str(delivery))
    changes = {"verdict": (before, decision.verdict)}
    AuditEntry.record(delivery.organization, actor, AuditAction.REPLAY, target, changes)
    return decision


def requeue_waiting(organization: Organization) -> int:
    """Make everything that waited for the organization's connections due now; how many deliveries."""
    count = Delivery.objects.filter(verdict__in=WAITING_VERDICTS).requeue(organization)
    Effect.objects.requeue(organization)
    return count


def _move(invitation: Invitation, status: str, reason: str = "", **changes: Any) -> None:
    try:
        invitation.move(status, reason, **changes)
    except IllegalTransition as error:
        raise ActionNotAllowed("Somebody else decided this meanwhile.") from error
    except IntegrityError as error:
        raise ActionNotAllowed(ANOTHER_OPEN) from error
