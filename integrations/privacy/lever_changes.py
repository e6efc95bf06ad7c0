"""Follow what Lever erased: who was anonymized, which sends no webhook, and who was deleted or is gone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat

from integrations.clients.duty_budget import Budget, Place
from integrations.clients.models import ApiCall
from integrations.core.vocabulary import ErasureCause, Platform
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.privacy.erase import LONG_SECONDS, erase, overwrite_deleted, repeat
from integrations.privacy.models import Erasure
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
#: A window whose pages Lever doesn't let the portal go on with isn't halved further than this.
SHORTEST_WINDOW = timedelta(minutes=1)
TOKEN_REFUSED = "Lever gave the portal a list in pages and refuses the token of the next page."
#: Where nothing was read for longer, the time before isn't asked about.
LOOK_BACK = timedelta(days=29)
BATCH = 200


@dataclass(frozen=True)
class _Window(Place):
    """What Lever is asked about at once, and how far its two lists are read: who changed, then who was deleted."""

    start: datetime
    end: datetime
    #: Until when all windows together are read: what changed since the run began is for the next one.
    until: datetime
    is_changed_read: bool = False
    next: str = ""

    def following(self) -> "_Window | None":
        """Return the window after this one, None when this is the last."""
        if self.end >= self.until:
            return None
        return _Window(self.end, min(self.end + LONGEST_WINDOW, self.until), self.until)

    @property
    def times(self) -> tuple[str, str]:
        """From when and until when, as Lever takes it."""
        return _milliseconds(self.start - OVERLAP), _milliseconds(self.end)

    def halved(self) -> "_Window":
        """Return the first half of the window, to be read from its first page."""
        return _Window(self.start, self.start + (self.end - self.start) / 2, self.until)


def repeat_erasures(organization: Organization, budget: Budget) -> None:
    """Repeat the erasures that are old enough, once, for what workers wrote that held a row during the erasure.

    Raises CallDeferred when the turn is over before all are repeated.
    """
    rows = Erasure.objects.filter(
        organization=organization, repeated_at__isnull=True, erased_at__lt=database.now() - REPEAT_AFTER
    )
    has_repeated = False
    try:
        while batch := list(rows.order_by("pk")[:BATCH]):
            for erasure in batch:
                repeat(organization, erasure)
                has_repeated = True
                budget.part_done()
    finally:
        if has_repeated:  # also where nothing was left to erase: somebody may have read during the erasure
            transaction.on_commit(partial(overwrite_deleted, LONG_SECONDS))


def follow_lever(organization: Organization, lever: LeverClient, budget: Budget) -> None:
    """Erase people that Lever anonymized or deleted, or no longer has; up to now, from where the last turn ended.

    Raises PlatformError, and CallDeferred when the turn is over before all is read.
    """
    window = _Window.from_json(budget.place) or _first_window(organization)
    while window is not None:
        window = _read_window(organization, lever, window, budget)
        LeverConnection.objects.filter(organization=organization).update(erasures_read_at=window.end)
        window = window.following()
        if window is not None:
            budget.part_done(window.to_json())
    budget.place = {}
    for opportunity_id in missing_for_long(organization):
        if _is_gone(lever, opportunity_id):
            erase(organization, opportunity_id, ErasureCause.GONE, Platform.LEVER.label)
        budget.part_done()


def _first_window(organization: Organization) -> _Window | None:
    """Return what to ask about first, from where the last run ended; None before Lever was ever connected."""
    connection, now = LeverConnection.objects.get(organization=organization), database.now()
    read_up_to = connection.erasures_read_at or connection.first_connected_at
    if read_up_to is None:
        return None
    start = max(read_up_to, now - LOOK_BACK)
    return _Window(start, start, now).following()


def _read_window(organization: Organization, lever: LeverClient, window: _Window, budget: Budget) -> _Window:
    """Erase people in both lists; return the window that was read: a shorter one where Lever refuses a page's token.

    Then the lists have to be read from their first page again, and a shorter window has fewer.
    """
    while True:
        try:
            if not window.is_changed_read:
                window = _erase_anonymized(organization, lever, window, budget)
            _erase_deleted(organization, lever, window, budget)
        except _TokenRefused as refused:
            window = refused.window.halved()
            if window.end - window.start < SHORTEST_WINDOW:
                raise PlatformError(TOKEN_REFUSED) from refused
        else:
            return window


class _TokenRefused(Exception):
    """Lever doesn't take the token of a page that it gave for this window."""

    def __init__(self, window: _Window) -> None:
        super().__init__(TOKEN_REFUSED)
        self.window = window


def _erase_anonymized(
    organization: Organization, lever: LeverClient, window: _Window, budget: Budget
) -> _Window:
    """Erase the anonymized, and return the window with this list read."""
    start, end = window.times
    times = {"updated_at_start": start, "updated_at_end": end}
    try:
        for page in lever.opportunity_pages(times, window.next):
            anonymized = [opportunity.id for opportunity in page.items if opportunity.is_anonymized]
            for opportunity_id in _known(organization, anonymized):
                erase(organization, opportunity_id, ErasureCause.ANONYMIZED, Platform.LEVER.label)
                budget.part_done()
            window = replace(window, next=page.next, is_changed_read=not page.next)
            budget.part_done(window.to_json())
    except PlatformError as error:
        if error.status == 400 and window.next:
            raise _TokenRefused(window) from error
        raise
    return window


def _erase_deleted(organization: Organization, lever: LeverClient, window: _Window, budget: Budget) -> None:
    """Erase the deleted whose webhook didn't arrive. A grant that may not read the list is no error."""
    try:
        for page in lever.deleted_pages(*window.times, window.next):
            for opportunity_id in _known(organization, page.items):
                if _is_gone(lever, opportunity_id):
                    erase(organization, opportunity_id, ErasureCause.DELETED, Platform.LEVER.label)
                budget.part_done()
            if page.next:
                window = replace(window, next=page.next)
                budget.part_done(window.to_json())
    except PlatformError as error:
        if error.status == 400 and window.next:
            raise _TokenRefused(window) from error
        if error.status not in {400, 403, 404}:
            raise


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


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
