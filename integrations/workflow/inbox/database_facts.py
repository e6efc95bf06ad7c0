"""Complete the facts from the portal's own rows: which invitations the person has, and how many went out lately."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from integrations.lever.decoding import moment
from integrations.lever.payloads import Opportunity
from integrations.models import Delivery, Erasure, Invitation, db_clock
from integrations.models.prepared import prepared
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.inbox.facts import FactsSnapshot
from integrations.workflow.person.invitations import Person, invitations_of
from integrations.workflow.rules.facts import Facts


def _entered_at(delivery: Delivery, opportunity: Opportunity) -> datetime | None:
    """Return when the stage was entered, by the webhook; for what a sweep found by Lever, None when it doesn't say."""
    if delivery.event == DeliveryEvent.SWEEP:
        return opportunity.entered_at
    triggered_at = moment(delivery.payload.get("triggeredAt"))
    return min(triggered_at, delivery.received_at) if triggered_at else delivery.received_at


def with_database_facts(snapshot: FactsSnapshot, delivery: Delivery, opportunity: Opportunity) -> Facts:
    """Return the facts completed with the person's invitations; called inside the deciding transaction."""
    is_erased = Erasure.objects.forbids(delivery.organization_id, delivery.opportunity_id)
    facts = replace(snapshot.facts, is_erased=is_erased)
    if is_erased:
        return facts
    recently = (
        count_recent_invitations(delivery.organization_id, facts.bulk_window) if facts.bulk_limit else 0
    )
    person = Person.of_opportunity(delivery.organization_id, opportunity)
    here, elsewhere = invitations_of(person, _entered_at(delivery, opportunity))
    return replace(facts, invitations_here=here, invitations_elsewhere=elsewhere, recently_invited=recently)


def count_recent_invitations(organization_id: int, minutes: int) -> int:
    """Return how many invitations of an organization were decided in the last `minutes`."""
    return _count_since.first(organization_id, db_clock.now() - timedelta(minutes=minutes)) or 0


@prepared
def _count_since(organization_id: int, moment: datetime) -> QuerySet[Invitation, int]:
    rows = Invitation.objects.filter(organization=organization_id, created_at__gte=moment)
    counted = rows.exclude(status=Invitation.Status.HELD).order_by().values("organization_id")
    return counted.values_list(Count("pk"), flat=True)
