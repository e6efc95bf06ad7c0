"""Compare Lever's trigger stages with the portal's rows; a missed stage change becomes a delivery of its own."""

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Self

from django.db.models import Q
from django.db.models.functions import Now

from integrations.case.person import read_missing_people, store_people_shown
from integrations.catalog.lists import refresh_stages, shown_role, trigger_policy, trigger_stages
from integrations.catalog.models import Stage
from integrations.clients.provider import ClientProvider
from integrations.core import correlation
from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.facts import CandidateSnapshot
from integrations.core.verdict_code import INVITING_VERDICTS, REFUTED_BY_LIST, VerdictCode
from integrations.core.vocabulary import DeliveryEvent, Platform, VerdictCause
from integrations.http.session import CallDeferred, PlatformError
from integrations.inbox.decide_delivery import decide_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.record_candidate import store_shown
from integrations.inbox.stage_lists import CLOCK_SKEW
from integrations.invitations.models.invitation import Invitation
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.lever.payloads import Opportunity, StageChange
from integrations.lever.transport import Page
from integrations.organizations.models.organization import Organization
from integrations.queue.models.duty_run import Place
from integrations.store import database
from integrations.store.columns import truncated_key
from integrations.store.leasing import LEASE

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=15)
#: A scheduled sweep leaves out who entered so short a time ago: their webhook may still arrive.
WEBHOOK_MAY_ARRIVE = timedelta(minutes=2)


#: The key of a place from which on all candidates are compared: who is on them is read.
READS_PEOPLE = "reads_people"


@dataclass(frozen=True)
class _Listing:
    """Which list of Lever's one sweep reads, when it began, and the token of the page that is next.

    `swept_at` is the time up to which was compared when it began.
    """

    stages: list[str]
    began: datetime
    swept_at: datetime | None
    next: str = ""

    def to_json(self) -> Place:
        return {
            "stages": self.stages,
            "began": self.began.isoformat(),
            "swept_at": self.swept_at.isoformat() if self.swept_at else "",
            "next": self.next,
        }

    @classmethod
    def from_json(cls, place: Place) -> Self:
        swept_at = datetime.fromisoformat(place["swept_at"]) if place["swept_at"] else None
        return cls(place["stages"], datetime.fromisoformat(place["began"]), swept_at, place["next"])


def why_not_compared(organization: Organization) -> str:
    """Return why the sweep compares nothing now, as a sentence; empty when it does."""
    return organization.pause.reason if organization.pause else organization.disconnected_reason


def sweep(
    organization: Organization, clients: ClientProvider, place: Place, is_full: bool = True
) -> tuple[int, Place]:
    """Create and decide deliveries missed on one page of Lever's list; return how many lead to an invitation.

    Also return from where the next turn goes on. Compares all candidates in a trigger stage; unless `is_full`, only
    those that changed in Lever since the last sweep, and no one who entered a moment ago. Raises PlatformError.
    """
    if why_not_compared(organization):
        return 0, {}
    if READS_PEOPLE in place:
        return 0, place if read_missing_people(organization, clients) else {}
    connected_at = organization.lever_connection.connected_at
    new = _Listing([], database.now(), organization.lever_connection.swept_at)
    if not place:
        refresh_stages(organization, clients.lever())
    stages, read_at = trigger_stages(organization), database.now()
    listing = replace(new, stages=[stage.external_id for stage in stages])
    if place:
        left = _Listing.from_json(place)
        if left.stages == listing.stages and (connected_at is None or left.began >= connected_at):
            listing = left
    since = None if is_full else listing.swept_at
    latest = None if is_full else listing.began - WEBHOOK_MAY_ARRIVE
    repaired = 0
    if stages:
        page = _page(clients.lever(), listing, since)
        listed = _may_be_invited(organization, stages, page.items, clients)
        store_people_shown(organization, listed)
        store_shown(organization, listed)
        for opportunity in _missed(organization, stages, listed, latest):
            repaired += _repair(organization, opportunity, clients, read_at)
        if since is None:
            _note_listed(organization, listed)
        if page.next:
            return repaired, replace(listing, next=page.next).to_json()
        if since is None:
            _read_offered_again(organization, listing.began)
    # without a trigger stage too: there was nothing to compare, and the sweep isn't late
    # but not where a restore or a new connection had all compared anew meanwhile
    connection = LeverConnection.objects.filter(organization=organization, connected_at=connected_at)
    connection.filter(swept_at=listing.swept_at).update(swept_at=listing.began)
    return repaired, {READS_PEOPLE: True} if is_full else {}


def _page(lever: LeverClient, listing: _Listing, since: datetime | None) -> Page[Opportunity]:
    """Return the next page of the opportunities in the stages, all or those that changed in Lever after `since`."""
    filters: dict[str, str | Sequence[str]] = {"stage_id": listing.stages, "archived": "false"}
    if since is not None:
        filters["updated_at_start"] = str(int((since - OVERLAP).timestamp() * 1000))
    return next(lever.opportunity_pages(filters, listing.next))


def _may_be_invited(
    organization: Organization,
    stages: Sequence[Stage],
    opportunities: Iterable[Opportunity],
    clients: ClientProvider,
) -> list[Opportunity]:
    """Return those of the opportunities whose stage is a trigger for them, by their role; each role is read once.

    Where the list leaves the posting out, that is left to the decision. Raises PlatformError.
    """
    policy, names = trigger_policy(organization), {stage.external_id: stage.name for stage in stages}

    @cache
    def is_trigger(stage_id: str, role_id: str) -> bool:
        if policy.has_prefix(names[stage_id]) or not role_id:
            return True
        role = shown_role(organization, role_id, clients)
        candidate = CandidateSnapshot(stage_id, names[stage_id], role_id, role.title, role.categories)
        return policy.is_trigger(stage_id, names[stage_id], candidate)

    return [
        one for one in opportunities if one.stage_id in names and is_trigger(one.stage_id, one.posting_id)
    ]


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

    What a platform doesn't answer now is left to the workers. Raises CallDeferred when no call may begin.
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
    return decision is not None and decision.verdict in INVITING_VERDICTS


# Who was missed: no delivery and no invitation accounts for their entry.


#: By the ids of an opportunity and of a stage that it entered.
type ByEntry[Row] = defaultdict[tuple[str, str], list[Row]]


def _missed(
    organization: Organization,
    stages: Sequence[Stage],
    listed: Sequence[Opportunity],
    latest: datetime | None = None,
) -> list[Opportunity]:
    """Return those of a page's opportunities in trigger stages that no row accounts for.

    If `latest` is given, only those that entered no later, or nobody knows when.
    """
    by_id = {stage.external_id: stage for stage in stages}
    allows_rounds = organization.reentry_days > 0
    told, invitations = _rows_of(organization, [opportunity.id for opportunity in listed])

    def is_missed(opportunity: Opportunity) -> bool:
        entry, entered_at = (opportunity.id, opportunity.stage_id), opportunity.entered_at
        if latest is not None and entered_at is not None and entered_at > latest:
            return False
        is_told = any(_accounts_for(row, entered_at, by_id[opportunity.stage_id]) for row in told[entry])
        return not is_told and not any(
            _is_invited(row, entered_at, allows_rounds) for row in invitations[entry]
        )

    return [opportunity for opportunity in listed if is_missed(opportunity)]


def _rows_of(organization: Organization, ids: Sequence[str]) -> tuple[ByEntry[Delivery], ByEntry[Invitation]]:
    """Return the deliveries that told of the entries of these opportunities, and their invitations."""
    told: ByEntry[Delivery] = defaultdict(list)
    invitations: ByEntry[Invitation] = defaultdict(list)
    own = {"organization": organization, "opportunity_id__in": ids}
    lever = {"platform": Platform.LEVER, "event__in": list(DeliveryEvent)}
    deliveries = Delivery.objects.filter(**own, **lever).select_related("invitation")
    for delivery in deliveries.order_by("received_at"):
        stage_id = StageChange.from_payload(delivery.payload).to_stage_id
        told[delivery.opportunity_id, stage_id].append(delivery)
    for invitation in Invitation.objects.filter(**own):
        invitations[invitation.opportunity_id, invitation.stage_id].append(invitation)
    return told, invitations


def _accounts_for(told: Delivery, entered_at: datetime | None, stage: Stage) -> bool:
    """Whether a delivery told of this entry, and its verdict holds.

    One whose invitation was cancelled doesn't count: the candidate may have entered again without a webhook.
    """
    is_cancelled = (
        told.invitation is not None
        and told.invitation.opportunity_id == told.opportunity_id  # else it is the person's, elsewhere
        and told.invitation.status == InvitationStatus.WITHDRAWN
    )
    if told.verdict in REFUTED_BY_LIST or is_cancelled:
        return False
    if told.verdict == VerdictCode.NOT_A_TRIGGER_STAGE and _was_named_since(stage, told, entered_at):
        return False
    return entered_at is None or told.received_at >= entered_at - CLOCK_SKEW


def _was_named_since(stage: Stage, told: Delivery, entered_at: datetime | None) -> bool:
    """Whether the verdict was given by an older list of stages, and the stage may have been entered under its new name.

    Also after another Lever account was connected for a while, whose list didn't have the stage at all.
    """
    if stage.named_before is None or told.decided_at is None or told.decided_at >= stage.named_before:
        return False
    return entered_at is None or stage.named_after is None or entered_at >= stage.named_after - CLOCK_SKEW


def _is_invited(row: Invitation, entered_at: datetime | None, allows_rounds: bool) -> bool:
    """Whether an invitation accounts for this entry.

    A cancelled one only does if a person cancelled it after the entry; a completed one doesn't if the candidate entered
    again afterwards and may get another round.
    """
    if row.status == InvitationStatus.WITHDRAWN:
        is_later = entered_at is None or row.changed_at >= entered_at - CLOCK_SKEW
        return row.stopped_by_user and is_later
    is_over = row.status == InvitationStatus.COMPLETED and row.completed_at is not None
    if is_over and allows_rounds and entered_at is not None:
        return row.completed_at is not None and entered_at <= row.completed_at
    return True
