"""Put effects into the outbox; called inside the transaction that makes them true."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from integrations.models import Delivery, Effect, Invitation, Organization
from integrations.models.truncated_keys import truncated_key

Kind = Effect.Kind


def enqueue(
    organization: Organization,
    kind: str,
    key: str,
    *,
    invitation: Invitation | None = None,
    delivery: Delivery | None = None,
    opportunity_id: str = "",
    payload: Mapping[str, Any] | None = None,
    priority: int = 5,
    wait: timedelta = timedelta(0),
) -> Effect:
    """Ask for an effect once: the same kind and key again returns the one that is there."""
    effect, _ = Effect.objects.get_or_create(
        organization=organization,
        kind=kind,
        key=truncated_key(key),
        defaults={
            "invitation": invitation,
            "delivery": delivery,
            "opportunity_id": opportunity_id or (invitation.opportunity_id if invitation else ""),
            "payload": dict(payload or {}),
            "priority": priority,
            # without a wait not `Now() + 0`, which SQLite writes finer than Now() and so a moment later
            "due_at": Now() + wait if wait else Now(),
        },
    )
    return effect


def enqueue_invitation(invitation: Invitation, delivery: Delivery | None = None) -> None:
    """Ask for the invitation to be sent; one effect per invitation, woken when it is asked for again."""
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
    """Ask for the progress tag; an older wish for the same candidate that hasn't been carried out is cancelled.

    The tag follows the latest round that went out: what becomes of an earlier one no longer changes it.
    """
    later = Invitation.objects.filter(
        organization=invitation.organization,
        opportunity_id=invitation.opportunity_id,
        assessment_id=invitation.assessment_id,
        round__gt=invitation.round,
    )
    if later.exclude(instance_id="").exists():
        return
    mine = Effect.objects.filter(
        organization=invitation.organization,
        kind=Kind.SET_PROGRESS_TAG,
        opportunity_id=invitation.opportunity_id,
        state=Effect.State.DUE,
        leased_until__isnull=True,
    )
    mine.update(state=Effect.State.CANCELLED, due_at=None, last_error="A later progress took its place.")
    enqueue(
        invitation.organization,
        Kind.SET_PROGRESS_TAG,
        f"{invitation.opportunity_id}:{uuid.uuid4().hex}",  # every change is a wish of its own; the latest counts
        invitation=invitation,
        payload={"tag": tag},
        priority=3,
    )


def enqueue_note(organization: Organization, opportunity_id: str, code: str, text: str, **links: Any) -> None:
    """Ask for a note on the opportunity, once per opportunity and code."""
    enqueue(
        organization,
        Kind.LEAVE_NOTE,
        f"{opportunity_id}:{code}",
        opportunity_id=opportunity_id,
        payload={"text": text, "code": code},
        priority=6,
        **links,
    )
