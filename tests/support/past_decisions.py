"""Deliveries as they are decided by an organization's rules, without a platform."""

from datetime import datetime, timedelta

from integrations.core.rules.decide import decide
from integrations.core.rules.facts import CandidateSnapshot, Facts
from integrations.core.rules.past_facts import stored_facts
from integrations.core.vocabulary import DeliveryEvent
from integrations.inbox.acts import rules_of
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from tests.support import factories


def decide_about(organization: Organization, opportunity_id: str, role: str, at: datetime) -> Delivery:
    """Store a delivery as it is decided by the rules in force. Return it."""
    rules = rules_of(organization)
    within = {"decided_at__gte": at - timedelta(minutes=rules.bulk_window), "decided_at__lt": at}
    facts = Facts(
        DeliveryEvent.STAGE_CHANGE,
        stage_id="stage-1",
        stage_name="CodeScreen Assessment",
        candidate=CandidateSnapshot("stage-1", "", "role-1", role, emails=("alder@candidates.example",)),
        mappings=rules.mappings,
        assessments=rules.assessments,
        default_assessment=rules.default_assessment,
        bulk_limit=rules.bulk_limit,
        bulk_window=rules.bulk_window,
        recently_invited=Delivery.objects.filter(
            organization=organization, verdict="invite", **within
        ).count(),
    )
    decision = decide(facts)
    return factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id=opportunity_id,
        verdict=decision.verdict,
        explanation=decision.explanation,
        decided_at=at,
        due_at=None,
        facts=stored_facts(facts, decision),
    )
