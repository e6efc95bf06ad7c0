"""Enqueue effects; called inside the transaction whose changes make them necessary."""

import uuid
from datetime import timedelta

from django.db.models.functions import Now

from integrations import correlation
from integrations.models import Delivery, Effect, Invitation, Membership, Organization
from integrations.models.truncated_keys import truncated_key
from integrations.workflow.outbox.payloads import NotePayload, Payload, ProgressTagPayload

Kind = Effect.Kind
LATER_PROGRESS = "A later progress took its place."


def enqueue(
    organization: Organization,
    kind: str,
    key: str,
    *,
    invitation: Invitation | None = None,
    delivery: Delivery | None = None,
    opportunity_id: str = "",
    email_topic: str = "",
    member: Membership | None = None,
    payload: Payload | None = None,
    priority: int = 5,
    wait: timedelta = timedelta(0),
) -> Effect:
    """Return the effect of this kind and key, created if there is none; it is due after `wait`."""
    effect, _ = Effect.objects.get_or_create(
        organization=organization,
        kind=kind,
        key=truncated_key(key),
        defaults={
            "invitation": invitation,
            "delivery": delivery,
            "opportunity_id": opportunity_id or (invitation.opportunity_id if invitation else ""),
            "email_topic": email_topic,
            "member": member,
            "payload": payload.to_json() if payload else {},
            "priority": priority,
            "correlation_id": correlation.current_or_new(),
            # without a wait not `Now() + 0`, which SQLite writes finer than Now() and so a moment later
            "due_at": Now() + wait if wait else Now(),
        },
    )
    return effect


def enqueue_invitation(invitation: Invitation, delivery: Delivery | None = None) -> None:
    """Enqueue the sending of an invitation: one effect per invitation, due again when it is requested again."""
    effect = enqueue(
        invitation.organization,
        Kind.SEND_INVITATION,
        str(invitation.pk),
        invitation=invitation,
        delivery=delivery,
        priority=2,
    )
    Effect.objects.filter(pk=effect.pk).exclude(state=Effect.State.DUE).update(
        state=Effect.State.DUE,
        due_at=Now(),
        attempts=0,
        attempt_started_at=None,
        last_error="",
        done_at=None,
        retry_window_started_at=Now(),
    )


def enqueue_progress_tag(invitation: Invitation, tag: str) -> None:
    """Enqueue a progress tag, and cancel an earlier one for the same candidate that hasn't been set.

    The tag follows the latest round that was sent; an earlier round's progress no longer changes it.
    """
    if invitation.later_rounds().exclude(instance_id="").exists():
        return
    waiting = Effect.objects.filter(
        organization=invitation.organization,
        kind=Kind.SET_PROGRESS_TAG,
        opportunity_id=invitation.opportunity_id,
        state=Effect.State.DUE,
        leased_until__isnull=True,
    )
    waiting.update(state=Effect.State.CANCELLED, due_at=None, last_error=LATER_PROGRESS)
    enqueue(
        invitation.organization,
        Kind.SET_PROGRESS_TAG,
        f"{invitation.opportunity_id}:{uuid.uuid4().hex}",  # each change is an effect of its own; the latest counts
        invitation=invitation,
        payload=ProgressTagPayload(tag),
        priority=3,
    )


def enqueue_note(
    organization: Organization,
    opportunity_id: str,
    code: str,
    text: str,
    *,
    invitation: Invitation | None = None,
    delivery: Delivery | None = None,
) -> None:
    """Enqueue a note on the opportunity, once per opportunity and code."""
    enqueue(
        organization,
        Kind.LEAVE_NOTE,
        f"{opportunity_id}:{code}",
        opportunity_id=opportunity_id,
        payload=NotePayload(text, code),
        priority=6,
        invitation=invitation,
        delivery=delivery,
    )


def enqueue_template(organization: Organization) -> None:
    """Enqueue the making of the feedback template: one effect per organization, due again when it was deleted."""
    effect = enqueue(organization, Kind.MAKE_TEMPLATE, "template", priority=4)
    Effect.objects.filter(pk=effect.pk).exclude(state=Effect.State.DUE).update(
        state=Effect.State.DUE, due_at=Now(), attempts=0, retry_window_started_at=Now()
    )
