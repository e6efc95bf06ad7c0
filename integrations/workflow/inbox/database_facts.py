"""Complete the facts from the portal's own rows: which invitations the person has, and how many went out lately."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from integrations.lever.decoding import moment
from integrations.lever.payloads import Opportunity
from integrations.models import Delivery, Erasure, Invitation, db_clock
from integrations.models.prepared import prepared
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.inbox.facts import FactsSnapshot, is_chosen
from integrations.workflow.person.invitations import Person, send_invitations_of
from integrations.workflow.rules.entered_before import EnteredBefore
from integrations.workflow.rules.facts import Facts


def entered_at(delivery: Delivery, opportunity: Opportunity | None) -> datetime | None:
    """Return when the stage was entered, by the webhook; for what a sweep found by Lever, None when it doesn't say."""
    if delivery.event == DeliveryEvent.SWEEP:
        return opportunity.entered_at if opportunity else None
    triggered_at = moment(delivery.payload.get("triggeredAt"))
    return min(triggered_at, delivery.received_at) if triggered_at else delivery.received_at


def with_database_facts(snapshot: FactsSnapshot, delivery: Delivery, opportunity: Opportunity) -> Facts:
    """Return the facts completed with the person's invitations; called inside the deciding transaction."""
    organization_id, facts = delivery.organization_id, snapshot.facts
    # all are sent before the first is read: other decisions of the organization wait meanwhile
    is_erased = Erasure.objects.send_forbids(organization_id, delivery.opportunity_id)
    recently = send_recent_count(organization_id, facts.bulk_window) if facts.bulk_limit else lambda: 0
    person = Person.of_opportunity(organization_id, opportunity)
    invitations = send_invitations_of(person, entered_at(delivery, opportunity))
    if is_erased():
        return replace(facts, is_erased=True)
    found = invitations()
    is_known = is_chosen(delivery) or found.explain(opportunity.tags)
    return replace(
        facts,
        is_erased=False,
        entered_before=facts.entered_before or (None if is_known else EnteredBefore.PROGRESS_TAG),
        invitations_here=found.here,
        invitations_elsewhere=found.elsewhere,
        recently_invited=recently(),
    )


def send_recent_count(organization_id: int, minutes: int) -> Callable[[], int]:
    """Ask how many invitations of an organization were decided in the last `minutes`."""
    rows = _count_since.send(organization_id, db_clock.now() - timedelta(minutes=minutes))
    return lambda: next(iter(rows()), 0)


@prepared
def _count_since(organization_id: int, moment: datetime) -> QuerySet[Invitation, int]:
    rows = Invitation.objects.filter(organization=organization_id, created_at__gte=moment)
    counted = rows.exclude(status=Invitation.Status.HELD).order_by().values("organization_id")
    return counted.values_list(Count("pk"), flat=True)
