"""Compare Lever's trigger stages with the portal's rows; a missed stage change becomes a delivery of its own."""

import logging
import uuid
from datetime import UTC, datetime, timedelta

from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.lever.client import LeverClient
from integrations.lever.payloads import Opportunity
from integrations.models import Delivery, Invitation, LeverConnection, Organization, db_clock
from integrations.models.leasing import LEASE
from integrations.models.truncated_keys import truncated_key
from integrations.vocabulary import INVITING_VERDICTS, DeliveryEvent, Verdict
from integrations.workflow.catalog.sync import refresh_stages
from integrations.workflow.catalog.trigger_policy import trigger_stages
from integrations.workflow.inbox.decide_delivery import decide_delivery
from integrations.workflow.rules.facts import Decision

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=15)
CLOCK_SKEW = timedelta(minutes=2)


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
    listed = [row for row in lever.opportunities(**filters) if row.stage_id in stages]
    missed = []
    for page in (listed[start : start + 200] for start in range(0, len(listed), 200)):
        ids = [row.id for row in page]
        invited = set(
            Invitation.objects.filter(organization=organization, opportunity_id__in=ids)
            .exclude(
                status=Invitation.Status.WITHDRAWN
            )  # they left, and may have come back without a webhook
            .values_list("opportunity_id", "stage_id")
        )
        accounted_for: dict[str, datetime] = {}
        # re-entries without a webhook: ignore deliveries decided after the candidate had left, or since withdrawn
        deliveries = Delivery.objects.filter(
            organization=organization, platform=Delivery.Platform.LEVER, opportunity_id__in=ids
        ).exclude(verdict=Verdict.LEFT_STAGE)
        deliveries = deliveries.exclude(invitation__status=Invitation.Status.WITHDRAWN)
        for delivery in deliveries.order_by("received_at"):
            data = delivery.payload.get("data") or {}
            stage = data.get("toStageId") if isinstance(data, dict) else None
            accounted_for[f"{delivery.opportunity_id}:{stage}"] = delivery.received_at
        # a person stopped these while the candidate was in the stage: the sweep doesn't invite them again
        stopped = Invitation.objects.filter(
            organization=organization, opportunity_id__in=ids, stopped_by_user=True
        )
        for invitation in stopped.order_by("changed_at"):
            accounted_for[f"{invitation.opportunity_id}:{invitation.stage_id}"] = invitation.changed_at
        for row in page:
            if row.entered_at is not None and not organization.created_at <= row.entered_at <= until:
                continue
            accounted_at = accounted_for.get(f"{row.id}:{row.stage_id}")
            is_known = accounted_at is not None and (
                row.entered_at is None or accounted_at >= row.entered_at - CLOCK_SKEW
            )
            if not is_known and (row.id, row.stage_id) not in invited:
                missed.append(row)
    return missed


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
