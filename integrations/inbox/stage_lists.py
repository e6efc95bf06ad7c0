"""Read the candidates of a bulk move from Lever's list of the stage, a hundred in a call, instead of one by one."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.core.vocabulary import DeliveryEvent, Platform
from integrations.http.session import CallDeferred, PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.lever.payloads import Opportunity, StageChange
from integrations.lever.transport import PAGE_SIZE
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: Lever's clock and the database's may differ by this much.
CLOCK_SKEW = timedelta(minutes=2)
#: The list is read when so many candidates wait, and at most a page of it for each so many.
FEWEST_CANDIDATES = 10
#: Lever's pace allows to invite fewer while a reading is young; what else it showed would be read again. Where nobody
#: is invited, they are decided sooner, and the list is read for the next.
MOST_CANDIDATES = 200
#: An older reading serves no delivery.
YOUNG_SECONDS = 30.0
#: Reading ends after so long, well before that and before the lease of the delivery that it is made for.
LONGEST_READING_SECONDS = 10.0


@dataclass
class ListReading:
    """What Lever's list of one stage showed of the candidates that waited when it was read."""

    #: When the call began, by the database's clock, and when by this process's.
    read_at: datetime
    #: It was made for deliveries that became due until then.
    due_until: datetime
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
            if reading is None or delivery.due_at > reading.due_until:
                reading = _read_list(organization, change.to_stage_id, reading) or reading
            if reading is None:
                return None
            self._latest[key] = reading
            if delivery.due_at > reading.read_at:
                return None
            opportunity = reading.opportunities.pop(change.opportunity_id, None)
            return None if opportunity is None else (opportunity, reading.read_at)

    def clear(self) -> None:
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
    now = database.now()
    reading = ListReading(read_at=now, due_until=now)
    waiting = Delivery.objects.filter(
        organization=organization,
        platform=Platform.LEVER,
        event=DeliveryEvent.STAGE_CHANGE,
        due_at__lte=Now(),
        payload__data__toStageId=stage_id,
    )
    if former is not None:
        waiting = waiting.filter(due_at__gt=former.due_until)
    oldest = list(
        waiting.only("opportunity_id", "received_at", "due_at").order_by("due_at")[:MOST_CANDIDATES]
    )
    received = {delivery.opportunity_id: delivery.received_at for delivery in oldest}
    if len(received) < FEWEST_CANDIDATES:
        return None
    if len(oldest) == MOST_CANDIDATES:
        reading.due_until = oldest[-1].due_at or now
    since, until = min(received.values()) - CLOCK_SKEW, max(received.values()) + CLOCK_SKEW
    # without a delivery: one candidate's timeline doesn't show what was read of the others
    lever = ClientProvider(organization).lever()
    listed = lever.opportunities(
        stage_id=stage_id, updated_at_start=_milliseconds(since), updated_at_end=_milliseconds(until)
    )
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


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
