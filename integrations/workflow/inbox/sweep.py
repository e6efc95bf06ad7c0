"""Compare Lever's trigger stages with the portal's rows; a missed stage change becomes a delivery of its own."""

import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.lever.client import LeverClient
from integrations.lever.payloads import Opportunity
from integrations.models import Delivery, LeverConnection, Organization, Stage, db_clock
from integrations.models.leasing import LEASE
from integrations.models.truncated_keys import truncated_key
from integrations.vocabulary import INVITING_VERDICTS, DeliveryEvent, VerdictCause, VerdictCode
from integrations.workflow.catalog.candidate_people import store_people_shown
from integrations.workflow.catalog.sync import refresh_stages
from integrations.workflow.catalog.trigger_policy import trigger_stages
from integrations.workflow.inbox.decide_delivery import decide_delivery
from integrations.workflow.inbox.missed import REFUTED_BY_THE_LIST, missed_opportunities
from integrations.workflow.rules.facts import Decision

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=15)
#: A scheduled sweep leaves out who entered so short a time ago: their webhook may still arrive.
WEBHOOK_MAY_ARRIVE = timedelta(minutes=2)
#: The verdicts of a sweep's own delivery that a later sweep of the same entry decides again.
DECIDED_AGAIN = REFUTED_BY_THE_LIST | {VerdictCode.NOT_A_TRIGGER_STAGE}


def sweep(organization: Organization, clients: ClientProvider, is_full: bool = True) -> int:
    """Create and decide missed deliveries; return how many of them lead to an invitation.

    Compares all candidates in a trigger stage; unless `is_full`, only those that changed in Lever since the last sweep,
    and no one who entered a moment ago. Raises PlatformError.
    """
    if organization.paused or organization.disconnected_reason:
        return 0
    refresh_stages(organization, clients.lever())
    stages = trigger_stages(organization)
    began = db_clock.now()
    repaired = _compare(organization, clients, stages, began, is_full) if stages else 0
    # without a trigger stage too: there was nothing to compare, and the sweep isn't late
    LeverConnection.objects.filter(organization=organization).update(swept_at=began)
    return repaired


def _compare(
    organization: Organization,
    clients: ClientProvider,
    stages: Sequence[Stage],
    began: datetime,
    is_full: bool,
) -> int:
    since = None if is_full else organization.lever_connection.swept_at
    listed = _list_opportunities(clients.lever(), stages, since)
    store_people_shown(organization, listed)
    if since is None:
        _read_offered_again(organization, listed)
    compared = [
        opportunity
        for opportunity in listed
        if is_full or opportunity.entered_at is None or opportunity.entered_at <= began - WEBHOOK_MAY_ARRIVE
    ]
    missed = list(missed_opportunities(organization, stages, compared))
    return sum(_repair(organization, opportunity, clients, began) for opportunity in missed)


def _list_opportunities(
    lever: LeverClient, stages: Sequence[Stage], since: datetime | None
) -> list[Opportunity]:
    """Return the opportunities in the stages, all or those that changed in Lever after `since`."""
    ids = [stage.external_id for stage in stages]
    filters: dict[str, str | list[str]] = {"stage_id": ids, "archived": "false"}
    if since is not None:
        filters["updated_at_start"] = str(int((since - OVERLAP).timestamp() * 1000))
    return [opportunity for opportunity in lever.opportunities(**filters) if opportunity.stage_id in ids]


def _read_offered_again(organization: Organization, listed: Sequence[Opportunity]) -> None:
    """Have the offered candidates who are in no trigger stage any more read again: then they aren't offered."""
    ids = {opportunity.id for opportunity in listed}
    offered = Delivery.objects.offered().filter(organization=organization, due_at__isnull=True)
    gone = [
        pk for pk, opportunity_id in offered.values_list("pk", "opportunity_id") if opportunity_id not in ids
    ]
    Delivery.objects.filter(pk__in=gone, due_at__isnull=True).update(due_at=Now(), attempts=0)


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
    cause = VerdictCause.SWEEP
    if not created:
        again = delivery.lease() if delivery.verdict in DECIDED_AGAIN else None
        if again is None:
            return False
        delivery = again
    delivery.organization = Organization.objects.reread(organization.pk)  # it may be paused by now
    # a list may leave the posting out: the opportunity is then read again
    known = opportunity if opportunity.posting_id else None
    decision = decide_delivery(delivery, clients, known, read_at if known else None, cause)
    return isinstance(decision, Decision) and decision.verdict in INVITING_VERDICTS
