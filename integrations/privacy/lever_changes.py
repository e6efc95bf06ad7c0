"""Follow what Lever erased: who was anonymized, which sends no webhook, and who was deleted or is gone."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Self

from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat

from integrations.clients.models import ApiCall
from integrations.core.vocabulary import ErasureCause, Platform
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.lever.payloads import milliseconds
from integrations.organizations.models.organization import Organization
from integrations.privacy.erase import LONG_SECONDS, erase, overwrite_deleted, repeat
from integrations.privacy.models import Erasure
from integrations.queue.models.duty_run import Place
from integrations.store import database

# Which candidates Lever has answered 404 for over a day: a single 404 may pass, or be a matter of permissions.


#: The second 404 comes at least so long after the first.
CONFIRMED_AFTER = timedelta(days=1)
MISSING_LOOK_BACK = timedelta(days=30)
#: How many are asked about in one run.
MOST = 50


def may_be_confirmed(organization: Organization) -> Exists:
    """Whether a call is about a candidate for which Lever answered 404, still to be confirmed.

    Their calls stay as long: by them it is known that Lever showed the candidate, and since when it doesn't.
    """
    since = database.now() - MISSING_LOOK_BACK
    return Exists(_missing(organization).filter(at__gte=since, opportunity_id=OuterRef("opportunity_id")))


def _missing(organization: Organization) -> QuerySet[ApiCall]:
    """Return the reads of candidates to which Lever answered 404 and whose data isn't erased."""
    reads = ApiCall.objects.filter(
        organization=organization,
        platform=Platform.LEVER,
        method="GET",
        path=Concat(Value("/opportunities/"), F("opportunity_id")),
        status=404,
    )
    erased = Erasure.objects.filter(organization=organization, opportunity_id=OuterRef("opportunity_id"))
    return reads.exclude(opportunity_id="").filter(~Exists(erased))


def missing_for_long(organization: Organization) -> list[str]:
    """Return the opportunities to ask Lever about again: a day ago it answered 404, and nothing else since.

    Only those that it showed under the present connection: another account doesn't have them, and says so with 404.
    """
    connected_at = LeverConnection.objects.get(organization=organization).connected_at
    if connected_at is None:
        return []
    since = max(connected_at, database.now() - MISSING_LOOK_BACK)
    # a candidate of a bulk move is read with others: that Lever has them shows in what was written to them
    answered = ApiCall.objects.filter(
        organization=organization,
        platform=Platform.LEVER,
        path__startswith=Concat(Value("/opportunities/"), F("opportunity_id")),
        status__range=(200, 299),
    )
    # an answer that came again is counted on the first one
    is_present = Q(at__gte=connected_at) | Q(last_at__gte=connected_at)
    shown = answered.filter(is_present, opportunity_id=OuterRef("opportunity_id"))
    missing = (
        _missing(organization)
        .filter(Exists(shown), at__gte=since)
        .order_by()
        .values("opportunity_id")
        .annotate(first=Min("at"))
        .filter(first__lt=database.now() - CONFIRMED_AFTER)
        .values_list("opportunity_id", "first")[: MOST * 4]
    )
    latest_shown = dict(
        answered.filter(opportunity_id__in=[row[0] for row in missing])
        .order_by()
        .values("opportunity_id")
        .annotate(at=Max(Coalesce("last_at", "at")))
        .values_list("opportunity_id", "at")
    )
    return [pk for pk, first in missing if latest_shown[pk] < first][:MOST]


# Follow what Lever erased: who was anonymized, which sends no webhook, and who was deleted or is gone.
#
# Every answer of Lever is confirmed before anything is erased: a list alone is not enough.


#: Longer than a worker may hold a row: what it wrote after an erasure is erased again then.
REPEAT_AFTER = timedelta(minutes=5)
#: Lever's clock and the database's may differ, and a change may be listed late.
OVERLAP = timedelta(minutes=15)
#: So much time is asked about at once. Lever allows 30 days for its list of the deleted.
LONGEST_WINDOW = timedelta(days=1)
#: So many erasures are repeated in one turn, each in a transaction of its own.
REPEATED_AT_ONCE = 50
#: Where nothing was read for longer, the time before isn't asked about.
LOOK_BACK = timedelta(days=29)
BATCH = 200


@dataclass(frozen=True)
class _Window:
    """What Lever is asked about at once, and how far its two lists are read: who changed, then who was deleted."""

    start: datetime
    end: datetime
    is_changed_read: bool = False
    next: str = ""

    @property
    def times(self) -> tuple[str, str]:
        """From when and until when, as Lever takes it."""
        return milliseconds(self.start - OVERLAP), milliseconds(self.end)

    def to_json(self) -> Place:
        return asdict(self) | {"start": self.start.isoformat(), "end": self.end.isoformat()}

    @classmethod
    def from_json(cls, place: Place) -> Self:
        start, end = (datetime.fromisoformat(place[name]) for name in ("start", "end"))
        return cls(start, end, place["is_changed_read"], place["next"])


def repeat_erasures(organization: Organization) -> int:
    """Repeat some erasures that are old enough, once, for what workers wrote that held a row; return how many."""
    rows = Erasure.objects.filter(
        organization=organization, repeated_at__isnull=True, erased_at__lt=database.now() - REPEAT_AFTER
    )
    batch = list(rows.order_by("pk")[:REPEATED_AT_ONCE])
    for erasure in batch:
        repeat(organization, erasure)
    if batch:  # also where nothing was left to erase: somebody may have read during the erasure
        transaction.on_commit(partial(overwrite_deleted, LONG_SECONDS))
    return len(batch)


def follow_lever(organization: Organization, lever: LeverClient, place: Place) -> Place:
    """Erase people on one page of what Lever anonymized or deleted, at last those that it no longer has.

    Return from where the next turn goes on, nothing when all is read up to now. Raises PlatformError.
    """
    window = _Window.from_json(place) if "start" in place else _next_window(organization)
    if window is None:
        return {}
    if not window.is_changed_read:
        token = _erase_anonymized(organization, lever, window)
        return replace(window, next=token, is_changed_read=not token).to_json()
    if token := _erase_deleted(organization, lever, window):
        return replace(window, next=token).to_json()
    LeverConnection.objects.filter(organization=organization).update(erasures_read_at=window.end)
    following = _next_window(organization)
    if following is not None and window.end - window.start == LONGEST_WINDOW:  # there is more
        return following.to_json()
    for opportunity_id in missing_for_long(organization):
        if _is_gone(lever, opportunity_id):
            erase(organization, opportunity_id, ErasureCause.GONE, Platform.LEVER.label)
    return {}


def _next_window(organization: Organization) -> _Window | None:
    """Return what to ask about, from where the last window ended; None before Lever was ever connected."""
    connection, now = LeverConnection.objects.get(organization=organization), database.now()
    read_up_to = connection.erasures_read_at or connection.first_connected_at
    if read_up_to is None:
        return None
    start = max(read_up_to, now - LOOK_BACK)
    return _Window(start, min(start + LONGEST_WINDOW, now))


def _erase_anonymized(organization: Organization, lever: LeverClient, window: _Window) -> str:
    """Erase the anonymized on the window's page, and return the token of the page after it."""
    start, end = window.times
    page = next(lever.opportunity_pages({"updated_at_start": start, "updated_at_end": end}, window.next))
    anonymized = [opportunity.id for opportunity in page.items if opportunity.is_anonymized]
    for opportunity_id in _known(organization, anonymized):
        erase(organization, opportunity_id, ErasureCause.ANONYMIZED, Platform.LEVER.label)
    return page.next


def _erase_deleted(organization: Organization, lever: LeverClient, window: _Window) -> str:
    """Erase the deleted on the window's page whose webhook didn't arrive; return the token of the page after it.

    A grant that may not read the list is no error.
    """
    try:
        page = next(lever.deleted_pages(*window.times, window.next))
    except PlatformError as error:
        if window.next or error.status not in {400, 403, 404}:
            raise
        return ""
    for opportunity_id in _known(organization, [one.id for one in page.items]):
        if _is_gone(lever, opportunity_id):
            erase(organization, opportunity_id, ErasureCause.DELETED, Platform.LEVER.label)
    return page.next


def _is_gone(lever: LeverClient, opportunity_id: str) -> bool:
    """Whether Lever answers 404 now, or marks the opportunity deleted."""
    try:
        return lever.opportunity(opportunity_id).is_deleted
    except PlatformError as error:
        if error.status not in {400, 403, 404}:
            raise
        return error.status == 404


def _known(organization: Organization, opportunity_ids: Iterable[str]) -> list[str]:
    """Return those that the portal has rows about, and that aren't finally erased already."""
    wanted = list(dict.fromkeys(opportunity_ids))
    known: set[str] = set()
    for begin in range(0, len(wanted), BATCH):
        own = {"organization": organization, "opportunity_id__in": wanted[begin : begin + BATCH]}
        known.update(Invitation.objects.filter(**own).values_list("opportunity_id", flat=True))
        known.update(Delivery.objects.filter(**own).values_list("opportunity_id", flat=True))
        known.difference_update(
            Erasure.objects.final().filter(**own).values_list("opportunity_id", flat=True)
        )
    return [opportunity_id for opportunity_id in wanted if opportunity_id in known]
