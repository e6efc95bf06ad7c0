"""Forget people once the organization's days are over: names, addresses, and what was kept of messages."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from integrations.models import ApiCall, Delivery, Effect, Invitation, Organization, Result
from integrations.workflow.email.payload import EmailPayload

BATCH = 500
REMOVED = "Removed: the organization's retention is over."
#: What stays of a delivery: ids, so that the timeline, the sweep and a replay still know what it was about.
_KEPT = ("opportunityId", "contactId", "toStageId", "fromStageId", "assessmentInstanceId", "externalId")


def purge(organization: Organization) -> int:
    """Remove what is older than the organization's retention; how many rows were changed. Safe to run twice."""
    if not organization.retention_days:
        return 0
    before = timezone.now() - timedelta(days=organization.retention_days)
    return (
        _forget_candidates(organization, before)
        + _forget_deliveries(organization, before)
        + _forget_messages(organization, before)
        + _forget_calls(organization, before)
    )


def _forget_candidates(organization: Organization, before: datetime) -> int:
    """Remove names and addresses of journeys that are over; the outcome stays, under Lever's id."""
    status = Invitation.Status
    over = Q(status=status.COMPLETED, completed_at__lt=before) | Q(
        status__in=[status.WITHDRAWN, status.FAILED], changed_at__lt=before
    )
    rows = Invitation.objects.filter(over, organization=organization)
    Result.objects.filter(invitation__in=rows).exclude(metadata={}).update(metadata={})
    known = ~Q(candidate_name="") | ~Q(email="")
    return rows.filter(known).update(candidate_name="", email="")


def _reduced(payload: Any) -> dict[str, Any]:
    """Return a delivery's payload with nothing in it but what happened, when, and ids."""
    payload = payload if isinstance(payload, dict) else {}
    data = payload.get("data")
    kept = {name: data[name] for name in _KEPT if name in data} if isinstance(data, dict) else {}
    outer = {name: payload[name] for name in ("id", "event", "type", "triggeredAt") if name in payload}
    return {**outer, "data": kept} if data else outer


def _forget_deliveries(organization: Organization, before: datetime) -> int:
    rows = Delivery.objects.filter(
        organization=organization, received_at__lt=before, decided_at__isnull=False
    )
    count, last = 0, 0
    while batch := list(rows.filter(pk__gt=last).only("pk", "payload").order_by("pk")[:BATCH]):
        last = batch[-1].pk
        changed = [delivery for delivery in batch if delivery.payload != _reduced(delivery.payload)]
        for delivery in changed:
            delivery.payload = _reduced(delivery.payload)
        count += Delivery.objects.bulk_update(changed, ["payload"])
    return count


def _forget_messages(organization: Organization, before: datetime) -> int:
    """Empty e-mails and notes that were sent or given up: a later retry of one says nothing about anybody."""
    rows = Effect.objects.filter(organization=organization, created_at__lt=before).exclude(
        state=Effect.State.DUE
    )
    empty = EmailPayload().to_json()
    mails = rows.filter(kind=Effect.Kind.SEND_EMAIL).exclude(payload=empty)
    count = mails.update(payload=empty)
    notes = rows.filter(kind=Effect.Kind.LEAVE_NOTE, state=Effect.State.DONE).exclude(payload={})
    return count + notes.update(payload={})


def _forget_calls(organization: Organization, before: datetime) -> int:
    rows = ApiCall.objects.filter(organization=organization, at__lt=before)
    known = ~Q(request_body="") | ~Q(response_body="")
    return rows.filter(known).update(request_body="", response_body="")
