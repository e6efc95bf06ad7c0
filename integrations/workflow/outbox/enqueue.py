"""Enqueue effects; called inside the transaction whose changes make them necessary."""

import uuid
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from integrations import correlation
from integrations.models import Delivery, Effect, Invitation, Membership, Organization
from integrations.models.prepared import prepared
from integrations.models.prepared_insert import insert_unless_stored
from integrations.models.truncated_keys import truncated_key
from integrations.workflow.outbox.payloads import (
    InvitationPayload,
    NotePayload,
    Payload,
    ProgressTagPayload,
    ResultTagPayload,
)

Kind = Effect.Kind
LATER_PROGRESS = "A later status replaced this one."


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
) -> None:
    """Store the effect, due after `wait`, unless there is one of this kind and key."""
    effect = Effect(
        organization=organization,
        kind=kind,
        key=truncated_key(key),
        invitation=invitation,
        delivery=delivery,
        opportunity_id=opportunity_id or (invitation.opportunity_id if invitation else ""),
        email_topic=email_topic,
        member=member,
        payload=payload.to_json() if payload else {},
        priority=priority,
    )
    _store(effect, wait)


def _store(effect: Effect, wait: timedelta = timedelta(0)) -> None:
    effect.correlation_id = correlation.current_or_new()
    effect.due_at = due_after(wait)
    insert_unless_stored(effect, unique=("kind", "organization", "key"))


def due_after(wait: timedelta) -> Combinable:
    """Return the due time of what begins after `wait`."""
    # without a wait not `Now() + 0`, which SQLite writes finer than Now() and so a moment later
    return Now() + wait if wait else Now()


def enqueue_first_sending(
    invitation: Invitation,
    delivery: Delivery | None = None,
    wait: timedelta = timedelta(0),
    *,
    is_chosen: bool = False,
) -> None:
    """Enqueue the sending of an invitation that was made in this transaction, due after `wait`.

    `is_chosen` when a person has it sent, knowing that the candidate may be invited already.
    """
    effect = Effect(
        organization_id=invitation.organization_id,
        kind=Kind.SEND_INVITATION,
        key=str(invitation.pk),
        invitation=invitation,
        delivery=delivery,
        opportunity_id=invitation.opportunity_id,
        payload=InvitationPayload(is_chosen=is_chosen).to_json(),
        priority=2,
    )
    _store(effect, wait)


def enqueue_invitation(
    invitation: Invitation,
    delivery: Delivery | None = None,
    wait: timedelta = timedelta(0),
    *,
    is_chosen: bool = False,
) -> None:
    """Enqueue the sending of an invitation: one effect per invitation, due again when it is requested again.

    Why it failed before is kept, so that the request can be undone.
    """
    enqueue_first_sending(invitation, delivery, wait, is_chosen=is_chosen)
    own = _effect(invitation.organization_id, Kind.SEND_INVITATION, str(invitation.pk))
    own.exclude(state=Effect.State.DUE).update(
        state=Effect.State.DUE,
        due_at=due_after(wait),
        payload=InvitationPayload(is_chosen=is_chosen).to_json(),
        attempts=0,
        attempt_started_at=None,
        done_at=None,
        retry_window_started_at=Now(),
    )


def _effect(organization_id: int, kind: str, key: str) -> QuerySet[Effect]:
    return Effect.objects.filter(organization=organization_id, kind=kind, key=key)


def enqueue_progress_tag(
    invitation: Invitation, tag: str, result_tag: ResultTagPayload | None = None
) -> bool:
    """Enqueue a progress tag, and cancel an earlier one for the same candidate that hasn't been set.

    `result_tag` is set in the same calls to Lever; one that waits with an earlier progress tag isn't cancelled.
    The tag follows the latest round that was sent: for an earlier round nothing is enqueued, and False is returned.
    """
    if invitation.has_later_round_sent():
        return False
    of_candidate = (invitation.organization_id, invitation.opportunity_id)
    if _waiting_progress_tags.exists(*of_candidate):
        waiting = _progress_tags_waiting_for(*of_candidate)
        waiting.update(state=Effect.State.CANCELLED, due_at=None, last_error=LATER_PROGRESS)
    effect = Effect(
        organization_id=invitation.organization_id,
        kind=Kind.SET_PROGRESS_TAG,
        key=truncated_key(
            f"{invitation.opportunity_id}:{uuid.uuid4().hex}"
        ),  # each change is an effect of its own
        invitation=invitation,
        opportunity_id=invitation.opportunity_id,
        payload=ProgressTagPayload(tag, result_tag.to_json() if result_tag else None).to_json(),
        priority=3,
    )
    _store(effect)
    return True


def _progress_tags_waiting_for(organization_id: int, opportunity_id: str) -> QuerySet[Effect]:
    return Effect.objects.filter(
        organization=organization_id,
        kind=Kind.SET_PROGRESS_TAG,
        opportunity_id=opportunity_id,
        state=Effect.State.DUE,
        leased_until__isnull=True,
        payload__result=None,
    )


@prepared
def _waiting_progress_tags(organization_id: int, opportunity_id: str) -> QuerySet[Effect, int]:
    waiting = _progress_tags_waiting_for(organization_id, opportunity_id)
    return waiting.order_by().values_list("pk", flat=True)[:1]


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


def enqueue_report_removal(invitation: Invitation) -> None:
    """Enqueue the removal of an invitation's report from Lever: one effect, due again when it is asked for again."""
    enqueue(
        invitation.organization, Kind.REMOVE_REPORT, str(invitation.pk), invitation=invitation, priority=3
    )
    own = _effect(invitation.organization_id, Kind.REMOVE_REPORT, str(invitation.pk))
    own.exclude(state=Effect.State.DUE).update(
        state=Effect.State.DUE,
        due_at=Now(),
        attempts=0,
        last_error="",
        done_at=None,
        retry_window_started_at=Now(),
    )


def enqueue_template(organization: Organization) -> None:
    """Enqueue the making of the feedback template: one effect per organization, due again when it was deleted."""
    enqueue(organization, Kind.MAKE_TEMPLATE, "template", priority=4)
    own = _effect(organization.pk, Kind.MAKE_TEMPLATE, "template")
    own.exclude(state=Effect.State.DUE).update(
        state=Effect.State.DUE, due_at=Now(), attempts=0, retry_window_started_at=Now()
    )
