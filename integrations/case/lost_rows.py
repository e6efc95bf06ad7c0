"""What is known of a candidate at the time whose rows a restore lost: who may have been invited then is offered."""

from dataclasses import replace
from datetime import timedelta

from integrations.catalog.models import Stage
from integrations.clients.provider import ClientProvider
from integrations.core.rules.facts import LostElsewhere, LostRows
from integrations.core.rules.names import has_progress_tag
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.lever.payloads import Opportunity, milliseconds
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: So much time one question for the deleted may span; Lever refuses more.
LONGEST_WINDOW = timedelta(days=30)
#: A sweep reads everybody in a trigger stage within this time. Who is deleted later was found by it before.
SWEPT_WITHIN = timedelta(days=28)


def lost_rows(
    organization: Organization, opportunity: Opportunity, clients: ClientProvider
) -> LostRows | None:
    """Return what is known of the candidate at the time whose rows a restore lost; None where none are lost.

    Raises PlatformError.
    """
    lost = lost_elsewhere(organization, opportunity, clients)
    if lost is None:
        return None
    offered = Delivery.objects.offered().filter(organization=organization, decided_at__gte=lost.until)
    return replace(
        lost,
        stages=_stages_then(organization, opportunity),
        is_offered=offered.filter(opportunity_id=opportunity.id).exists(),
    )


def lost_elsewhere(
    organization: Organization, opportunity: Opportunity, clients: ClientProvider
) -> LostRows | None:
    """Return what is known of the person's other opportunities at the time whose rows a restore lost, or None.

    Lever finds them by the person's addresses, in one call, and those that were deleted in a second. Raises
    PlatformError.
    """
    if organization.rows_lost_until is None:
        return None
    found = clients.lever().opportunities(email=opportunity.emails) if opportunity.emails else ()
    others = [
        LostElsewhere(one.id, _stages_then(organization, one), has_progress_tag(one.tags))
        for one in found
        if one.id != opportunity.id
    ]
    return LostRows(
        organization.rows_lost_until, elsewhere=(*others, *_deleted(organization, opportunity, clients))
    )


def _deleted(
    organization: Organization, opportunity: Opportunity, clients: ClientProvider
) -> list[LostElsewhere]:
    """Return the person's opportunities that were deleted since rows are lost; Lever no longer shows their tags.

    It is asked for good: the person may come back at any time. Raises PlatformError, but a window that Lever refuses
    is left out, so that it hides nobody who was deleted in another.
    """
    start, until = organization.rows_lost_from, organization.rows_lost_until
    if start is None or until is None or not opportunity.contact_id:
        return []
    end, deleted = min(database.now(), until + SWEPT_WITHIN), list[Opportunity]()
    while start < end:
        stop = min(start + LONGEST_WINDOW, end)
        try:
            for page in clients.lever().deleted_pages(milliseconds(start), milliseconds(stop)):
                deleted.extend(page.items)
        except PlatformError as error:
            if error.status not in {400, 403, 404}:
                raise
        start = stop
    return [
        LostElsewhere(one.id, has_progress_tag=True)
        for one in deleted
        if one.contact_id == opportunity.contact_id
    ]


def _stages_then(organization: Organization, opportunity: Opportunity) -> tuple[tuple[str, str], ...]:
    """Return the stages in which it was while rows were lost: each id with the name of now and the one before."""
    since, until = organization.rows_lost_from, organization.rows_lost_until
    if since is None or until is None:
        return ()
    stages = Stage.objects.filter(
        organization=organization, external_id__in=opportunity.stages_between(since, until)
    )
    return tuple((stage.external_id, name) for stage in stages for name in (stage.name, stage.former_name))
