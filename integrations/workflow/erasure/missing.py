"""Which candidates Lever has answered 404 for over a day: a single 404 may pass, or be a matter of permissions."""

from datetime import timedelta

from django.db.models import Exists, F, Max, Min, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Concat

from integrations.models import ApiCall, Erasure, LeverConnection, Organization, db_clock
from integrations.vocabulary import Platform

#: The second 404 comes at least so long after the first.
CONFIRMED_AFTER = timedelta(days=1)
LOOK_BACK = timedelta(days=30)
#: How many are asked about in one run.
MOST = 50


def may_be_confirmed(organization: Organization) -> Exists:
    """Whether a call is about a candidate for which Lever answered 404, still to be confirmed.

    Their calls stay as long: by them it is known that Lever showed the candidate, and since when it doesn't.
    """
    missing = ApiCall.objects.filter(
        organization=organization,
        platform=Platform.LEVER,
        method="GET",
        path=Concat(Value("/opportunities/"), F("opportunity_id")),
        status=404,
        at__gte=db_clock.now() - LOOK_BACK,
        opportunity_id=OuterRef("opportunity_id"),
    )
    erased = Erasure.objects.filter(organization=organization, opportunity_id=OuterRef("opportunity_id"))
    return Exists(missing.exclude(opportunity_id="").filter(~Exists(erased)))


def missing_for_long(organization: Organization) -> list[str]:
    """Return the opportunities to ask Lever about again: a day ago it answered 404, and nothing else since.

    Only those that it showed under the present connection: another account doesn't have them, and says so with 404.
    """
    connected_at = LeverConnection.objects.get(organization=organization).connected_at
    if connected_at is None:
        return []
    since = max(connected_at, db_clock.now() - LOOK_BACK)
    reads = ApiCall.objects.filter(
        organization=organization,
        platform=Platform.LEVER,
        method="GET",
        path=Concat(Value("/opportunities/"), F("opportunity_id")),
    ).exclude(opportunity_id="")
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
    erased = Erasure.objects.filter(organization=organization, opportunity_id=OuterRef("opportunity_id"))
    missing = (
        reads.filter(~Exists(erased), Exists(shown), status=404, at__gte=since)
        .order_by()
        .values("opportunity_id")
        .annotate(first=Min("at"))
        .filter(first__lt=db_clock.now() - CONFIRMED_AFTER)
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
