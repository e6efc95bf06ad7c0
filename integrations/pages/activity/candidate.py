"""One candidate's timeline across both systems: delivery, verdict, effects, calls, results, in time order."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from integrations.http.redaction import redact
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
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.result_labels import with_results
from integrations.pages.activity.verdicts import with_next_steps
from integrations.pages.partials import LivePartsMixin

NEWEST = 200  # of each kind: a candidate rarely has twenty


@dataclass(frozen=True)
class Entry:
    """One thing that happened, and the row it is about."""

    at: datetime
    kind: str
    row: Any


class CandidateView(OrganizationMixin, LivePartsMixin):
    """Everything the portal knows of one opportunity."""

    template_name = "integrations/candidate.html"
    live_parts = {"timeline": "integrations/_timeline.html"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather the rows; 404 when this organization has none."""
        opportunity_id = self.kwargs["opportunity_id"]
        rows = {"organization": self.organization, "opportunity_id": opportunity_id}
        own = Invitation.objects.filter(**rows).annotate(has_later=Exists(later_rounds()))
        invitations = with_results(own.order_by("-created_at", "-pk")[:NEWEST])
        entries = timeline(self.organization, opportunity_id, invitations)
        if not entries and not invitations:
            raise Http404("No such candidate here.")
        named = next((row for row in invitations if row.candidate_name), None)
        return super().get_context_data(
            candidate_name=named.candidate_name if named else "",
            invitations=invitations,
            entries=entries,
            latest_verdict=latest_verdict(entries),
            now=timezone.now(),
            **kwargs,
        )


def latest_verdict(entries: Sequence[Entry]) -> Delivery | None:
    """Return the delivery with the latest verdict; what CodeScreen tells counts only while there is no other."""
    verdicts = [entry.row for entry in reversed(entries) if entry.kind == "verdict"]
    decided = [row for row in verdicts if row.verdict != Delivery.Verdict.NOTED]
    return next(iter(decided or verdicts), None)


def later_rounds() -> QuerySet[Invitation]:
    """Return, as a subquery, the later rounds of an invitation."""
    return Invitation.objects.filter(
        organization=OuterRef("organization"),
        opportunity_id=OuterRef("opportunity_id"),
        assessment_id=OuterRef("assessment_id"),
        round__gt=OuterRef("round"),
    )


def timeline(
    organization: Organization, opportunity_id: str, invitations: Sequence[Invitation]
) -> list[Entry]:
    """Return what happened to one candidate, earliest first."""
    rows = {"organization": organization, "opportunity_id": opportunity_id}
    deliveries = list(
        Delivery.objects.filter(**rows).select_related("invitation").order_by("-received_at")[:NEWEST]
    )
    effects = list(
        Effect.objects.filter(**rows).select_related("invitation").order_by("-created_at")[:NEWEST]
    )
    calls = ApiCall.objects.filter(
        Q(effect__opportunity_id=opportunity_id) | Q(opportunity_id=opportunity_id)
    )
    calls = calls.filter(organization=organization).select_related("effect").order_by("-at")[:NEWEST]
    results = Result.objects.filter(invitation__in=[row.pk for row in invitations]).select_related(
        "invitation"
    )
    targets = {
        TargetKind.INVITATION: [invitation.pk for invitation in invitations],
        TargetKind.DELIVERY: [delivery.pk for delivery in deliveries],
        TargetKind.EFFECT: [effect.pk for effect in effects],
    }
    acts = AuditEntry.objects.about(targets).filter(organization=organization).order_by("-at")
    found = chain(
        _deliveries(deliveries),
        (Entry(effect.created_at, "effect", effect) for effect in effects),
        (Entry(call.at, "call", call) for call in calls),
        (Entry(result.created_at, "result", result) for result in results[:NEWEST]),
        (Entry(act.at, "act", act) for act in acts[:NEWEST]),
        _milestones(invitations),
    )
    return sorted(found, key=lambda entry: (entry.at, _ORDER[entry.kind]))


_ORDER = {
    kind: order
    for order, kind in enumerate(["delivery", "verdict", "act", "effect", "call", "status", "result"])
}


def _deliveries(deliveries: Any) -> Iterator[Entry]:
    for delivery in with_next_steps(deliveries):
        delivery.shown_payload = shown(delivery.payload)
        yield Entry(delivery.received_at, "delivery", delivery)
        if delivery.decided_at:
            yield Entry(delivery.decided_at, "verdict", delivery)


@dataclass(frozen=True)
class Milestone:
    """A time an invitation passed a status."""

    label: str
    invitation: Invitation


def _milestones(invitations: Sequence[Invitation]) -> Iterator[Entry]:
    for invitation in invitations:
        for at, label in (
            (invitation.invited_at, "Invited"),
            (invitation.started_at, "Started"),
            (invitation.submitted_at, "Submitted"),
            (invitation.completed_at, "Completed"),
        ):
            if at:
                yield Entry(at, "status", Milestone(label, invitation))
        if invitation.awaits_decision_since:
            waits = Milestone("Failed: waits for a decision", invitation)
            yield Entry(invitation.awaits_decision_since, "status", waits)
        if invitation.status in {"held", "uncertain", "failed", "withdrawn"}:
            yield Entry(
                invitation.changed_at, "status", Milestone(invitation.get_status_display(), invitation)
            )


def shown(payload: Any) -> str:
    """Return a payload as indented JSON without personal data and secrets."""
    return json.dumps(redact(payload), indent=2, ensure_ascii=False, sort_keys=True)
