"""One candidate's timeline: deliveries, verdicts, people's actions, effects, calls, statuses and results by time."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain

from integrations.models import (
    ApiCall,
    AuditEntry,
    Delivery,
    Effect,
    Invitation,
    Organization,
    Result,
    Verdict,
)
from integrations.pages.activity.next_steps import next_step
from integrations.pages.activity.payload import redacted_json
from integrations.workflow.person.audit_entries import audit_entries_about

#: How many rows of each kind are shown, and when all are asked for; a candidate rarely has twenty.
NEWEST, MOST = 50, 200


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
    """A delivery with its redacted payload."""

    delivery: Delivery
    payload: str


@dataclass(frozen=True)
class TimelineVerdict:
    """A verdict with its next step, which is empty for one that a later verdict replaced."""

    verdict: Verdict
    next_step: str


@dataclass(frozen=True)
class StatusChange:
    """The time at which an invitation reached a status."""

    label: str
    invitation: Invitation


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened, with its row."""

    at: datetime
    kind: EntryKind
    row: TimelineDelivery | TimelineVerdict | AuditEntry | Effect | ApiCall | StatusChange | Result


def timeline(
    organization: Organization, opportunity_id: str, invitations: Sequence[Invitation], most: int = NEWEST
) -> list[TimelineEntry]:
    """Return what happened to one candidate, earliest first: of each kind of row the newest `most`."""
    own = {"organization": organization, "opportunity_id": opportunity_id}
    deliveries = list(Delivery.objects.filter(**own).order_by("-received_at")[:most])
    verdicts = Verdict.objects.filter(delivery__in=[delivery.pk for delivery in deliveries])
    effects = list(Effect.objects.filter(**own).select_related("invitation").order_by("-created_at")[:most])
    calls = ApiCall.objects.filter(**own)
    results = Result.objects.filter(invitation__in=[invitation.pk for invitation in invitations])
    actions = audit_entries_about(organization.pk, opportunity_id).order_by("-at")
    entries = chain(
        (
            TimelineEntry(
                delivery.received_at,
                EntryKind.DELIVERY,
                TimelineDelivery(delivery, redacted_json(delivery.payload)),
            )
            for delivery in deliveries
        ),
        _verdict_entries(verdicts.select_related("invitation").order_by("-decided_at", "-pk")[:most]),
        (TimelineEntry(effect.created_at, EntryKind.EFFECT, effect) for effect in effects),
        (
            TimelineEntry(call.at, EntryKind.CALL, call)
            for call in calls.select_related("effect").order_by("-at")[:most]
        ),
        (
            TimelineEntry(result.created_at, EntryKind.RESULT, result)
            for result in results.select_related("invitation")[:most]
        ),
        (TimelineEntry(action.at, EntryKind.ACTION, action) for action in actions[:most]),
        _status_entries(invitations),
    )
    return sorted(entries, key=lambda entry: (entry.at, _ORDER[entry.kind]))


def is_cut(entries: Sequence[TimelineEntry], most: int = NEWEST) -> bool:
    """Whether there may be more rows of some kind than the timeline was asked for."""
    return max(Counter(entry.kind for entry in entries).values(), default=0) >= most


def latest_verdict(entries: Sequence[TimelineEntry]) -> TimelineVerdict | None:
    """Return the latest current verdict; one on a CodeScreen delivery only where Lever's are missing."""
    current = [
        entry.row
        for entry in reversed(entries)
        if isinstance(entry.row, TimelineVerdict) and entry.row.verdict.is_current
    ]
    from_lever = [row for row in current if row.verdict.code != Verdict.Code.NOTED]
    return next(iter(from_lever or current), None)


def _verdict_entries(verdicts: Iterable[Verdict]) -> Iterator[TimelineEntry]:
    for verdict in verdicts:
        step = next_step(verdict.code, verdict.invitation) if verdict.is_current else ""
        yield TimelineEntry(verdict.decided_at, EntryKind.VERDICT, TimelineVerdict(verdict, step))


def _status_entries(invitations: Sequence[Invitation]) -> Iterator[TimelineEntry]:
    status = Invitation.Status
    for invitation in invitations:
        times = [
            (invitation.invited_at, "Invited"),
            (invitation.started_at, "Started"),
            (invitation.submitted_at, "Submitted"),
            (invitation.completed_at, "Completed"),
            (invitation.awaits_decision_since, "Failed: waits for a decision"),
            (invitation.following_ended_at, invitation.following_ended_reason),
        ]
        if invitation.status in {status.HELD, status.UNCERTAIN, status.FAILED, status.WITHDRAWN}:
            times.append((invitation.changed_at, invitation.get_status_display()))
        for at, label in times:
            if at:
                yield TimelineEntry(at, EntryKind.STATUS, StatusChange(label, invitation))
