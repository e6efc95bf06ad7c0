"""One candidate's timeline: deliveries, verdicts, people's actions, effects, calls, statuses and results by time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain

from django.db.models import Q

from integrations.models import (
    ApiCall,
    AuditEntry,
    Delivery,
    Effect,
    Invitation,
    Organization,
    Result,
    TargetKind,
)
from integrations.pages.activity.next_steps import next_step
from integrations.pages.activity.payload import redacted_json

#: How many rows of each kind are shown; a candidate rarely has twenty.
NEWEST = 200


class EntryKind(StrEnum):
    """What a timeline entry is about; entries of the same time are shown in this order."""

    DELIVERY = "delivery"
    VERDICT = "verdict"
    ACTION = "action"
    EFFECT = "effect"
    CALL = "call"
    STATUS = "status"
    RESULT = "result"


_ORDER = {kind: position for position, kind in enumerate(EntryKind)}


@dataclass(frozen=True)
class TimelineDelivery:
    """A delivery with its redacted payload and the next step of its verdict."""

    delivery: Delivery
    payload: str
    next_step: str


@dataclass(frozen=True)
class StatusChange:
    """The time at which an invitation reached a status."""

    label: str
    invitation: Invitation


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened: a delivery's arrival or verdict, or the row of another kind."""

    at: datetime
    kind: EntryKind
    row: TimelineDelivery | AuditEntry | Effect | ApiCall | StatusChange | Result


def timeline(
    organization: Organization, opportunity_id: str, invitations: Sequence[Invitation]
) -> list[TimelineEntry]:
    """Return what happened to one candidate, earliest first."""
    own = {"organization": organization, "opportunity_id": opportunity_id}
    deliveries = list(
        Delivery.objects.filter(**own).select_related("invitation").order_by("-received_at")[:NEWEST]
    )
    effects = list(Effect.objects.filter(**own).select_related("invitation").order_by("-created_at")[:NEWEST])
    calls = ApiCall.objects.filter(
        Q(effect__opportunity_id=opportunity_id) | Q(opportunity_id=opportunity_id), organization=organization
    )
    results = Result.objects.filter(invitation__in=[invitation.pk for invitation in invitations])
    targets = {
        TargetKind.INVITATION: [invitation.pk for invitation in invitations],
        TargetKind.DELIVERY: [delivery.pk for delivery in deliveries],
        TargetKind.EFFECT: [effect.pk for effect in effects],
    }
    actions = AuditEntry.objects.about(targets).filter(organization=organization).order_by("-at")
    entries = chain(
        _delivery_entries(deliveries),
        (TimelineEntry(effect.created_at, EntryKind.EFFECT, effect) for effect in effects),
        (
            TimelineEntry(call.at, EntryKind.CALL, call)
            for call in calls.select_related("effect").order_by("-at")[:NEWEST]
        ),
        (
            TimelineEntry(result.created_at, EntryKind.RESULT, result)
            for result in results.select_related("invitation")[:NEWEST]
        ),
        (TimelineEntry(action.at, EntryKind.ACTION, action) for action in actions[:NEWEST]),
        _status_entries(invitations),
    )
    return sorted(entries, key=lambda entry: (entry.at, _ORDER[entry.kind]))


def latest_verdict(entries: Sequence[TimelineEntry]) -> TimelineDelivery | None:
    """Return the delivery with the latest verdict; CodeScreen's count only where Lever's are missing."""
    decided = [
        entry.row
        for entry in reversed(entries)
        if entry.kind is EntryKind.VERDICT and isinstance(entry.row, TimelineDelivery)
    ]
    from_lever = [row for row in decided if row.delivery.verdict != Delivery.VerdictCode.NOTED]
    return next(iter(from_lever or decided), None)


def _delivery_entries(deliveries: Sequence[Delivery]) -> Iterator[TimelineEntry]:
    for delivery in deliveries:
        row = TimelineDelivery(
            delivery, redacted_json(delivery.payload), next_step(delivery.verdict, delivery.invitation)
        )
        yield TimelineEntry(delivery.received_at, EntryKind.DELIVERY, row)
        if delivery.decided_at:
            yield TimelineEntry(delivery.decided_at, EntryKind.VERDICT, row)


def _status_entries(invitations: Sequence[Invitation]) -> Iterator[TimelineEntry]:
    status = Invitation.Status
    for invitation in invitations:
        times = [
            (invitation.invited_at, "Invited"),
            (invitation.started_at, "Started"),
            (invitation.submitted_at, "Submitted"),
            (invitation.completed_at, "Completed"),
            (invitation.awaits_decision_since, "Failed: waits for a decision"),
        ]
        if invitation.status in {status.HELD, status.UNCERTAIN, status.FAILED, status.WITHDRAWN}:
            times.append((invitation.changed_at, invitation.get_status_display()))
        for at, label in times:
            if at:
                yield TimelineEntry(at, EntryKind.STATUS, StatusChange(label, invitation))
