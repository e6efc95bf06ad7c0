"""Who is in a stage, by Lever's list: read in a bulk move, and compared to find who was missed."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db.models.functions import Now

from integrations.catalog.models import Stage
from integrations.clients.provider import clients_for
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import REFUTED_BY_LIST, VerdictCode
from integrations.core.vocabulary import DeliveryEvent, Platform, ReentryPolicy
from integrations.http.session import CallDeferred, PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity, StageChange
from integrations.lever.transport import PAGE_SIZE
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: Lever's clock and the database's may differ by this much.
CLOCK_SKEW = timedelta(minutes=2)
BATCH = 200

#: By the ids of an opportunity and of a stage that it entered.
type ByEntry[Row] = defaultdict[tuple[str, str], list[Row]]


def missed_opportunities(
    organization: Organization,
    stages: Sequence[Stage],
    listed: Sequence[Opportunity],
    latest: datetime | None = None,
) -> Iterator[Opportunity]:
    """Yield those of the opportunities in trigger stages that no row accounts for.

    If `latest` is given, only those that entered no later, or nobody knows when.
    """
    in_stages = [
        opportunity
        for opportunity in listed
        if latest is None or opportunity.entered_at is None or opportunity.entered_at <= latest
    ]
    by_id = {stage.external_id: stage for stage in stages}
    allows_rounds = organization.reentry != ReentryPolicy.NOTHING
    for start in range(0, len(in_stages), BATCH):
        batch = in_stages[start : start + BATCH]
        told, invitations = _rows_of(organization, [opportunity.id for opportunity in batch])
        for opportunity in batch:
            entry, entered_at = (opportunity.id, opportunity.stage_id), opportunity.entered_at
            stage = by_id[opportunity.stage_id]
            is_told = any(_accounts_for(row, entered_at, stage) for row in told[entry])
            is_invited = any(_is_invited(row, entered_at, allows_rounds) for row in invitations[entry])
            if not is_told and not is_invited:
                yield opportunity


def _rows_of(organization: Organization, ids: Sequence[str]) -> tuple[ByEntry[Delivery], ByEntry[Invitation]]:
    """Return the deliveries that told of the entries of these opportunities, and their invitations."""
    told: ByEntry[Delivery] = defaultdict(list)
    invitations: ByEntry[Invitation] = defaultdict(list)
    own = {"organization": organization, "opportunity_id__in": ids}
    deliveries = Delivery.objects.filter(**own, platform=Platform.LEVER).select_related("invitation")
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


# Read the candidates of a bulk move from Lever's list, a hundred in a call, instead of one by one.


#: The list is read when so many candidates wait, and at most a page of it for each so many.
FEWEST_CANDIDATES = 10
MOST_CANDIDATES = 1000
#: An older reading serves no delivery.
YOUNG_SECONDS = 30.0
#: Reading ends after so long, well before that and before the lease of the delivery that it is made for.
LONGEST_READING_SECONDS = 10.0


@dataclass
class ListReading:
    """What Lever's list of one stage showed of the candidates that waited when it was read."""

    #: When the call began, by the database's clock, and when by this process's.
    read_at: datetime
    began: float = field(default_factory=time.monotonic)
    opportunities: dict[str, Opportunity] = field(default_factory=dict)

    @property
    def age(self) -> float:
        """The seconds since it began."""
        return time.monotonic() - self.began


class ListReadings:
    """The latest reading of each stage, in the memory of one process; one of its threads at a time reads.

    The key is the organization's with the stage's id.
    """

    def __init__(self) -> None:
        self._latest: dict[tuple[int, str], ListReading] = {}
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def take(self, delivery: Delivery) -> tuple[Opportunity, datetime] | None:
        """Return a due delivery's candidate and when they were read, which is later than it became due.

        The list is read now if many candidates wait for the same stage that the latest reading doesn't serve. None for
        a candidate who is to be read alone: few wait, or the list doesn't show this one. Raises CallDeferred.
        """
        change = StageChange.from_payload(delivery.payload)
        if delivery.due_at is None or not change.to_stage_id:
            return None
        organization = delivery.organization
        key = (organization.pk, change.to_stage_id)
        with self._locks[organization.pk]:
            for old in [read for read, reading in self._latest.items() if reading.age >= YOUNG_SECONDS]:
                self._latest.pop(old, None)
            reading = self._latest.get(key)
            if reading is None or delivery.due_at > reading.read_at:
                reading = _read_list(organization, change.to_stage_id, reading) or reading
            if reading is None:
                return None
            self._latest[key] = reading
            if delivery.due_at > reading.read_at:
                return None
            opportunity = reading.opportunities.pop(change.opportunity_id, None)
            return None if opportunity is None else (opportunity, reading.read_at)

    def clear(self) -> None:
        """Forget all readings."""
        self._latest.clear()


#: The readings of this process.
readings = ListReadings()


def _read_list(organization: Organization, stage_id: str, former: ListReading | None) -> ListReading | None:
    """Return a new reading; None when too few candidates wait that the former one doesn't serve.

    Where Lever doesn't answer, the reading ends there: the others are read alone. Raises CallDeferred when nothing was
    read.
    """
    # at first for whichever stage: to find those of one stage takes longer
    scheduled = Delivery.objects.scheduled().filter(organization=organization, due_at__lte=Now())
    if scheduled.order_by("due_at")[:FEWEST_CANDIDATES].count() < FEWEST_CANDIDATES:
        return None
    reading = ListReading(read_at=database.now())
    waiting = Delivery.objects.filter(
        organization=organization,
        platform=Platform.LEVER,
        event=DeliveryEvent.STAGE_CHANGE,
        due_at__lte=Now(),
        payload__data__toStageId=stage_id,
    )
    if former is not None:
        waiting = waiting.filter(due_at__gt=former.read_at)
    oldest = waiting.order_by("due_at")[:MOST_CANDIDATES]
    received = dict(oldest.values_list("opportunity_id", "received_at"))
    if len(received) < FEWEST_CANDIDATES:
        return None
    since = min(received.values()) - CLOCK_SKEW
    # without a delivery: one candidate's timeline doesn't show what was read of the others
    lever = clients_for(organization).lever()
    listed = lever.opportunities(stage_id=stage_id, updated_at_start=str(int(since.timestamp() * 1000)))
    most_rows = len(received) // FEWEST_CANDIDATES * PAGE_SIZE
    try:
        for opportunity in islice(listed, most_rows):
            # a list may leave the posting out: the opportunity is then read alone
            if opportunity.id in received and opportunity.posting_id:
                reading.opportunities[opportunity.id] = opportunity
            is_complete = len(reading.opportunities) == len(received)
            if is_complete or reading.age > LONGEST_READING_SECONDS:
                break
    except CallDeferred:
        if not reading.opportunities:
            raise
    except PlatformError:
        pass
    return reading
