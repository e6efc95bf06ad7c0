"""Compare Lever's trigger stages with the portal's rows; a missed stage change becomes a delivery of its own."""

import logging
import uuid
from datetime import UTC, datetime, timedelta

from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.lever.client import LeverClient
from integrations.lever.payloads import Opportunity, StageChange
from integrations.models import Delivery, Invitation, LeverConnection, Organization, db_clock
from integrations.models.leasing import LEASE
from integrations.models.truncated_keys import truncated_key
from integrations.vocabulary import INVITING_VERDICTS, DeliveryEvent, VerdictCode
from integrations.workflow.catalog.sync import refresh_stages
from integrations.workflow.catalog.trigger_policy import trigger_stages
from integrations.workflow.inbox.decide_delivery import decide_delivery
from integrations.workflow.rules.facts import Decision

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=15)
CLOCK_SKEW = timedelta(minutes=2)
BATCH = 200

#: A candidate in a stage: the ids of the opportunity and the stage.
type Entry = tuple[str, str]


def sweep(organization: Organization, clients: ClientProvider, is_full: bool = True) -> int:
    """Create and decide missed deliveries; return how many of them lead to an invitation.

    Compares all candidates in a trigger stage; unless `is_full`, only those that changed in Lever since the last sweep.
    Candidates who entered before the organization existed here are skipped. Raises PlatformError.
    """
    if organization.paused or organization.disconnected_reason:
        return 0
    lever = clients.lever()
    refresh_stages(organization, lever)
    stages = [stage.external_id for stage in trigger_stages(organization)]
    if not stages:
        return 0
    began = db_clock.now()
    since = None if is_full else organization.lever_connection.swept_at
    missed = _missed_opportunities(organization, lever, stages, since)
    repaired = sum(_repair(organization, opportunity, clients, began) for opportunity in missed)
    LeverConnection.objects.filter(organization=organization).update(swept_at=began)
    return repaired


def _missed_opportunities(
    organization: Organization, lever: LeverClient, stages: list[str], since: datetime | None
) -> list[Opportunity]:
    """Return the opportunities in a trigger stage that no delivery or invitation accounts for.

    A scheduled sweep skips candidates who entered a moment ago: their webhook may still arrive.
    """
    until = db_clock.now() + CLOCK_SKEW if since is None else db_clock.now() - CLOCK_SKEW
    filters: dict[str, str | list[str]] = {"stage_id": stages, "archived": "false"}
    if since is not None:
        filters["updated_at_start"] = str(int((since - OVERLAP).timestamp() * 1000))
    in_stages = [
        opportunity for opportunity in lever.opportunities(**filters) if opportunity.stage_id in stages
    ]
    missed = []
    for start in range(0, len(in_stages), BATCH):
        batch = in_stages[start : start + BATCH]
        ids = [opportunity.id for opportunity in batch]
        invited, accounted_for = _invited(organization, ids), _accounted_for(organization, ids)
        for opportunity in batch:
            entered_at = opportunity.entered_at
            if entered_at is not None and not organization.created_at <= entered_at <= until:
                continue
            entry = (opportunity.id, opportunity.stage_id)
            accounted_at = accounted_for.get(entry)
            is_known = accounted_at is not None and (
                entered_at is None or accounted_at >= entered_at - CLOCK_SKEW
            )
            if not is_known and entry not in invited:
                missed.append(opportunity)
    return missed


def _invited(organization: Organization, ids: list[str]) -> set[Entry]:
    """Return the entries with an invitation that isn't withdrawn: those may have entered again without a webhook."""
    invitations = Invitation.objects.filter(organization=organization, opportunity_id__in=ids)
    invitations = invitations.exclude(status=Invitation.Status.WITHDRAWN)
    return set(invitations.values_list("opportunity_id", "stage_id"))


def _accounted_for(organization: Organization, ids: list[str]) -> dict[Entry, datetime]:
    """Return, for each entry, when its last delivery was received or a person stopped its invitation.

    Left out are deliveries decided after the candidate had left and those whose invitation was withdrawn: the
    candidate may have entered again without a webhook. A sweep doesn't invite again what a person stopped.
    """
    accounted_for: dict[Entry, datetime] = {}
    deliveries = Delivery.objects.filter(
        organization=organization, platform=Delivery.Platform.LEVER, opportunity_id__in=ids
    ).exclude(verdict=VerdictCode.LEFT_STAGE)
    deliveries = deliveries.exclude(invitation__status=Invitation.Status.WITHDRAWN)
    for delivery in deliveries.order_by("received_at"):
        stage_id = StageChange.from_payload(delivery.payload).to_stage_id
        accounted_for[delivery.opportunity_id, stage_id] = delivery.received_at
    stopped = Invitation.objects.filter(
        organization=organization, opportunity_id__in=ids, stopped_by_user=True
    )
    for invitation in stopped.order_by("changed_at"):
        accounted_for[invitation.opportunity_id, invitation.stage_id] = invitation.changed_at
    return accounted_for


def _repair(
    organization: Organization, opportunity: Opportunity, clients: ClientProvider, read_at: datetime
) -> bool:
    """Store the missed delivery and decide it; True when it leads to an invitation."""
    moment = opportunity.entered_at or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    delivery, created = Delivery.objects.get_or_create(
        organization=organization,
        platform=Delivery.Platform.LEVER,
        dedupe_key=truncated_key(
            f"sweep:{opportunity.id}:{opportunity.stage_id}:{int(moment.timestamp() * 1000)}"
        ),
        defaults={
            "event": DeliveryEvent.SWEEP,
            "opportunity_id": opportunity.id,
            "payload": {
                "event": DeliveryEvent.SWEEP,
                "data": {"opportunityId": opportunity.id, "toStageId": opportunity.stage_id},
            },
            "due_at": Now(),
            # leased from the start, or a worker decides it and the sweep doesn't count it
            "leased_until": Now() + LEASE,
            "lease_owner": uuid.uuid4().hex,
        },
    )
    if not created:
        return False
    # a list may leave the posting out: the opportunity is then read again
    known = opportunity if opportunity.posting_id else None
    decision = decide_delivery(delivery, clients, known, read_at if known else None)
    return isinstance(decision, Decision) and decision.verdict in INVITING_VERDICTS
