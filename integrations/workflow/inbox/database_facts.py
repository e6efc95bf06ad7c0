"""Complete the facts from the portal's own rows: which invitations the person has, and how many went out lately."""

from dataclasses import replace
from datetime import datetime, timedelta

from integrations.lever.decoding import moment
from integrations.lever.payloads import Opportunity
from integrations.models import Delivery, Erasure, db_clock
from integrations.models.step_questions import invited_since
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.inbox.facts import FactsSnapshot, is_chosen
from integrations.workflow.person.invitations import Person, invitations_of
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
    if Erasure.objects.forbids(organization_id, delivery.opportunity_id):
        return replace(facts, is_erased=True)
    person = Person.of_opportunity(organization_id, opportunity)
    found = invitations_of(person, entered_at(delivery, opportunity))
    is_known = is_chosen(delivery) or found.explain(opportunity.tags)
    return replace(
        facts,
        is_erased=False,
        entered_before=facts.entered_before or (None if is_known else EnteredBefore.PROGRESS_TAG),
        invitations_here=found.here,
        invitations_elsewhere=found.elsewhere,
        recently_invited=recent_count(organization_id, facts.bulk_window) if facts.bulk_limit else 0,
    )


def recent_count(organization_id: int, minutes: int) -> int:
    """Return how many invitations of an organization were decided in the last `minutes`."""
    since = db_clock.now() - timedelta(minutes=minutes)
    return int(invited_since(organization_id, since))
