"""Follow what Lever erased: who was anonymized, which sends no webhook, and who was deleted or is gone.

Every answer of Lever is confirmed before anything is erased: a list alone is not enough.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from integrations.http.errors import PlatformError
from integrations.lever.client import LeverClient
from integrations.models import Delivery, Erasure, Invitation, LeverConnection, Organization, db_clock
from integrations.vocabulary import ErasureCause, Platform
from integrations.workflow.erasure.database_file import LONG_SECONDS, overwrite_deleted
from integrations.workflow.erasure.erase import erase, repeat
from integrations.workflow.erasure.missing import missing_for_long

#: Longer than a worker may hold a row: what it wrote after an erasure is erased again then.
REPEAT_AFTER = timedelta(minutes=5)
#: Lever's clock and the database's may differ, and a change may be listed late.
OVERLAP = timedelta(minutes=15)
#: So much time is asked about at once. Lever allows 30 days for its list of the deleted.
LONGEST_WINDOW = timedelta(days=1)
#: Where nothing was read for longer, the time before isn't asked about.
LOOK_BACK = timedelta(days=29)
BATCH = 200


def repeat_erasures(organization: Organization) -> None:
    """Repeat the erasures that are old enough, once, for what workers wrote that held a row during the erasure."""
    rows = Erasure.objects.to_repeat().filter(
        organization=organization, erased_at__lt=db_clock.now() - REPEAT_AFTER
    )
    erasures = list(rows.order_by("pk"))
    for erasure in erasures:
        repeat(organization, erasure)
    if erasures:  # also where nothing was left to erase: somebody may have read during the erasure
        transaction.on_commit(partial(overwrite_deleted, LONG_SECONDS))


def follow_lever(organization: Organization, lever: LeverClient) -> None:
    """Erase whom Lever anonymized or deleted, and who is gone; up to now, from where the last run ended.

    What was read is remembered after each window, so that a run that is cut off is continued. Raises PlatformError.
    """
    now = db_clock.now()
    began = _read_up_to(organization) or now
    start = max(began, now - LOOK_BACK)
    while start < now:
        end = min(start + LONGEST_WINDOW, now)
        _erase_anonymized(organization, lever, start - OVERLAP, end)
        _erase_deleted(organization, lever, start - OVERLAP, end)
        LeverConnection.objects.filter(organization=organization).update(erasures_read_at=end)
        start = end
    for opportunity_id in missing_for_long(organization):
        if _is_gone(lever, opportunity_id):
            erase(organization, opportunity_id, ErasureCause.GONE, Platform.LEVER.label)


def _read_up_to(organization: Organization) -> datetime | None:
    connection = LeverConnection.objects.get(organization=organization)
    return connection.erasures_read_at or connection.first_connected_at


def _erase_anonymized(organization: Organization, lever: LeverClient, start: datetime, end: datetime) -> None:
    changed = lever.opportunities(updated_at_start=_milliseconds(start), updated_at_end=_milliseconds(end))
    anonymized = [opportunity.id for opportunity in changed if opportunity.is_anonymized]
    for opportunity_id in _known(organization, anonymized):
        erase(organization, opportunity_id, ErasureCause.ANONYMIZED, Platform.LEVER.label)


def _erase_deleted(organization: Organization, lever: LeverClient, start: datetime, end: datetime) -> None:
    """Erase the deleted whose webhook didn't arrive. A grant that may not read the list is no error."""
    try:
        deleted = list(lever.deleted_opportunities(_milliseconds(start), _milliseconds(end)))
    except PlatformError as error:
        if error.status not in {400, 403, 404}:
            raise
        return
    for opportunity_id in _known(organization, deleted):
        if _is_gone(lever, opportunity_id):
            erase(organization, opportunity_id, ErasureCause.DELETED, Platform.LEVER.label)


def _is_gone(lever: LeverClient, opportunity_id: str) -> bool:
    """Whether Lever answers 404 now, or marks the opportunity deleted."""
    try:
        return lever.opportunity(opportunity_id).is_deleted
    except PlatformError as error:
        if error.status not in {400, 403, 404}:
            raise
        return error.status == 404


def _known(organization: Organization, opportunity_ids: Iterable[str]) -> list[str]:
    """Return those about whom the portal has rows, and that aren't finally erased already."""
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
