"""Remove personal data once the organization's retention is over: names, addresses, stored messages."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integrations.models import (
    ApiCall,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Delivery,
    Effect,
    Invitation,
    Organization,
    Result,
    TargetKind,
    Verdict,
    erased_positions,
)
from integrations.workflow.email.payload import EmailPayload

BATCH = 500
#: The ids of a delivery's payload that are kept for the timeline, the sweep and a replay.
_KEPT_IDS = ("opportunityId", "contactId", "toStageId", "fromStageId", "assessmentInstanceId", "externalId")


def purge(organization: Organization) -> int:
    """Remove what is older than the organization's retention; return how many rows changed. Safe to run twice."""
    if not organization.retention_days:
        return 0
    before = timezone.now() - timedelta(days=organization.retention_days)
    return (
        _purge_candidates(organization, before)
        + _purge_deliveries(organization, before)
        + _purge_verdicts(organization, before)
        + _purge_messages(organization, before)
        + _purge_calls(organization, before)
    )


def _purge_candidates(organization: Organization, before: datetime) -> int:
    """Remove names and addresses from invitations that are over. The outcome stays, under Lever's id.

    One that the portal no longer asks CodeScreen about is over too, started or not.
    """
    status = Invitation.Status
    over = (
        Q(status=status.COMPLETED, completed_at__lt=before)
        | Q(status__in=[status.WITHDRAWN, status.FAILED], changed_at__lt=before)
        | Q(following_ended_at__lt=before)
    )
    rows = Invitation.objects.filter(over, organization=organization)
    Result.objects.filter(invitation__in=rows).exclude(metadata={}).update(metadata={})
    known = ~Q(candidate_name="") | ~Q(email="")
    return rows.filter(known).update(candidate_name="", email="")


def _without_personal_data(payload: object) -> dict[str, object]:
    """Return what is kept of a delivery's payload: what happened, when, and ids."""
    payload = payload if isinstance(payload, dict) else {}
    data = payload.get("data")
    kept = {name: data[name] for name in _KEPT_IDS if name in data} if isinstance(data, dict) else {}
    outer = {name: payload[name] for name in ("id", "event", "type", "triggeredAt") if name in payload}
    return {**outer, "data": kept} if data else outer


def _purge_deliveries(organization: Organization, before: datetime) -> int:
    rows = Delivery.objects.filter(
        organization=organization, received_at__lt=before, decided_at__isnull=False
    )
    count, last = 0, 0
    while batch := list(rows.filter(pk__gt=last).only("pk", "payload").order_by("pk")[:BATCH]):
        last = batch[-1].pk
        changed = [
            delivery for delivery in batch if delivery.payload != _without_personal_data(delivery.payload)
        ]
        for delivery in changed:
            delivery.payload = _without_personal_data(delivery.payload)
        count += Delivery.objects.bulk_update(changed, ["payload"])
    return count


def _purge_verdicts(organization: Organization, before: datetime) -> int:
    """Empty what verdicts quote, such as a candidate's tag. The code, the time and the cause stay."""
    empty = {"explanation": "", "assessment_written": ""}
    deliveries = Delivery.objects.filter(
        organization=organization, received_at__lt=before, decided_at__isnull=False
    )
    verdicts = Verdict.objects.filter(organization=organization, delivery__received_at__lt=before)
    with transaction.atomic():
        count = deliveries.exclude(**empty).update(**empty)
        erased = verdicts.exclude(**empty).erase_text()
        if erased:
            target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, organization.name)
            AuditEntry.record(organization, "retention", AuditAction.ERASE, target, erased_positions(erased))
    return count + len(erased)


def _purge_messages(organization: Organization, before: datetime) -> int:
    """Empty e-mails and notes that were sent or given up. A later retry of one then sends nothing personal."""
    rows = Effect.objects.filter(organization=organization, created_at__lt=before).exclude(
        state=Effect.State.DUE
    )
    empty = EmailPayload().to_json()
    mails = rows.filter(kind=Effect.Kind.SEND_EMAIL).exclude(payload=empty)
    count = mails.update(payload=empty)
    notes = rows.filter(kind=Effect.Kind.LEAVE_NOTE, state=Effect.State.DONE).exclude(payload={})
    return count + notes.update(payload={})


def _purge_calls(organization: Organization, before: datetime) -> int:
    rows = ApiCall.objects.filter(organization=organization, at__lt=before)
    known = ~Q(request_body="") | ~Q(response_body="")
    return rows.filter(known).update(request_body="", response_body="")
