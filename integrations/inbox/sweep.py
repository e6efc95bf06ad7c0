"""Compare Lever's trigger stages with the portal's rows; a missed stage change becomes a delivery of its own."""

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from integrations.catalog.lists import refresh_stages, trigger_stages
from integrations.clients.duty_budget import Budget, Place
from integrations.clients.provider import ClientProvider
from integrations.core import correlation
from integrations.core.rules.facts import Decision
from integrations.core.verdict_code import INVITING_VERDICTS
from integrations.core.vocabulary import DeliveryEvent, VerdictCause
from integrations.http.session import CallDeferred, PlatformError
from integrations.inbox.decide_delivery import decide_delivery
from integrations.inbox.missed import missed_opportunities
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.person import PEOPLE_READ, read_missing_people, store_people_shown
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.organization import Organization
from integrations.store import database
from integrations.store.columns import truncated_key
from integrations.store.leasing import LEASE

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=15)
#: A scheduled sweep leaves out who entered so short a time ago: their webhook may still arrive.
WEBHOOK_MAY_ARRIVE = timedelta(minutes=2)


@dataclass(frozen=True)
class _Listing(Place):
    """Which list of Lever's one sweep reads, when it began, and the token of the page that is next.

    `swept_at` is the time up to which was compared when it began.
    """

    stages: list[str]
    began: datetime
    swept_at: datetime | None
    since: datetime | None = None
    next: str = ""


def why_not_compared(organization: Organization) -> str:
    """Return why the sweep compares nothing now, as a sentence; empty when it does."""
    return "The portal is paused." if organization.paused else organization.disconnected_reason


def sweep(organization: Organization, clients: ClientProvider, budget: Budget, is_full: bool = True) -> int:
    """Create and decide missed deliveries; return how many of them lead to an invitation.

    Compares all candidates in a trigger stage; unless `is_full`, only those that changed in Lever since the last sweep,
    and no one who entered a moment ago. Raises PlatformError, and CallDeferred when the turn is over before all are
    compared.
    """
    if why_not_compared(organization):
        return 0
    if PEOPLE_READ in budget.place:  # all were compared by an earlier turn
        read_missing_people(organization, clients, budget)
        return 0
    connected_at, swept_at = (
        organization.lever_connection.connected_at,
        organization.lever_connection.swept_at,
    )
    refresh_stages(organization, clients.lever())
    stages = trigger_stages(organization)
    ids = [stage.external_id for stage in stages]
    read_at = database.now()
    listing = _Listing.from_json(budget.place)
    if listing is None or listing.stages != ids or (connected_at and listing.began < connected_at):
        listing = _Listing(ids, read_at, swept_at, None if is_full else swept_at)
    latest = None if is_full else listing.began - WEBHOOK_MAY_ARRIVE
    repaired = 0
    if stages:
        for listed in _pages(clients.lever(), listing, budget):
            store_people_shown(organization, listed)
            for opportunity in list(missed_opportunities(organization, stages, listed, latest)):
                repaired += _repair(organization, opportunity, clients, read_at)
                budget.part_done()
            if listing.since is None:
                _note_listed(organization, listed)
        if listing.since is None:
            _read_offered_again(organization, listing.began)
    # without a trigger stage too: there was nothing to compare, and the sweep isn't late
    # but not where a restore or a new connection had all compared anew meanwhile
    connection = LeverConnection.objects.filter(organization=organization, connected_at=connected_at)
    connection.filter(swept_at=listing.swept_at).update(swept_at=listing.began)
    if is_full:
        read_missing_people(organization, clients, budget)
    return repaired


def _pages(lever: LeverClient, listing: _Listing, budget: Budget) -> Iterator[list[Opportunity]]:
    """Yield the opportunities in the stages page by page, all or those that changed in Lever after `since`.

    Where Lever refuses a page's token, the next turn begins with the first page.
    """
    filters: dict[str, str | Sequence[str]] = {"stage_id": listing.stages, "archived": "false"}
    if listing.since is not None:
        filters["updated_at_start"] = str(int((listing.since - OVERLAP).timestamp() * 1000))
    try:
        for page in lever.opportunity_pages(filters, listing.next):
            yield [opportunity for opportunity in page.items if opportunity.stage_id in listing.stages]
            if page.next:
                listing = replace(listing, next=page.next)
                budget.part_done(listing.to_json())
    except PlatformError as error:
        if error.status == 400 and listing.next:
            budget.place = {}
        raise


def _note_listed(organization: Organization, listed: Sequence[Opportunity]) -> None:
    """Note of the offered candidates among these that they are in a trigger stage."""
    offered = Delivery.objects.offered().filter(
        organization=organization, opportunity_id__in=[opportunity.id for opportunity in listed]
    )
    offered.update(listed_at=Now())


def _read_offered_again(organization: Organization, began: datetime) -> None:
    """Have the offered candidates who are in no trigger stage any more read again: then they aren't offered."""
    offered = Delivery.objects.offered().filter(organization=organization, due_at__isnull=True)
    is_gone = Q(listed_at__isnull=True) | Q(listed_at__lt=began)
    offered.filter(is_gone).update(due_at=Now(), attempts=0)


def _repair(
    organization: Organization, opportunity: Opportunity, clients: ClientProvider, read_at: datetime
) -> bool:
    """Store the missed delivery and decide it; True when it leads to an invitation.

    What a platform doesn't answer now is left to the workers. Raises CallDeferred when the turn is over.
    """
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
        # this entry was taken in by an earlier sweep, and what came of it no longer accounts for the candidate
        again = delivery.lease(due_at=Now(), attempts=0)  # workers decide it if this process is killed
        if again is None:
            return False
        delivery = again
    delivery.organization = Organization.objects.reread(organization.pk)  # it may be paused by now
    # a list may leave the posting out: the opportunity is then read again
    known = opportunity if opportunity.posting_id else None
    try:
        with correlation.use(correlation.of_delivery(delivery.pk)):
            decision = decide_delivery(
                delivery, clients, known, read_at if known else None, VerdictCause.SWEEP
            )
    except PlatformError as error:
        delivery.release()  # it is due: workers try it again
        if isinstance(error, CallDeferred):
            raise
        logger.info("delivery %s of %s is left to the workers: %s", delivery.pk, organization.slug, error)
        return False
    return isinstance(decision, Decision) and decision.verdict in INVITING_VERDICTS
